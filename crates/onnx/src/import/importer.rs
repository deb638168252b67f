//! Reads a graph node by node. What a node gives is a constant, a node of ours in some view, or something on the way to
//! one; see [`Value`].

use super::{
    ImportError,
    constant::{Constant, Data, MOST_NUMBERS},
    fold::{Fold, Unfolded},
    model::Node,
    value::{Live, Unknown, Value},
    view::View,
};
use network::{Assembly, NetworkError, NodeId, Op, ParamId};
use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};
use weights::{Numbers, OnnxFile, StoredTensor};

/// Why a node does not become one of ours.
#[derive(Debug)]
pub(super) enum Stop {
    /// It, and all that is made of it, is not known.
    Unknown(&'static str),
    /// It reads something that is not known.
    From(Rc<Unknown>),
    /// Nothing can be made of the model.
    Fatal(ImportError),
}

impl From<ImportError> for Stop {
    fn from(error: ImportError) -> Stop {
        Stop::Fatal(error)
    }
}

impl From<weights::WeightError> for Stop {
    fn from(error: weights::WeightError) -> Stop {
        Stop::Fatal(error.into())
    }
}

impl From<NetworkError> for Stop {
    fn from(error: NetworkError) -> Stop {
        match error {
            NetworkError::Mismatch { .. }
            | NetworkError::Malformed { .. }
            | NetworkError::InputUneven { .. } => {
                Stop::Unknown("reads something of another shape than it needs")
            }
            NetworkError::InputTooSmall { .. } => Stop::Unknown("has nothing to read in so small a picture"),
            other => Stop::Fatal(other.into()),
        }
    }
}

pub(super) struct Importer<'a> {
    pub(super) file: &'a OnnxFile,
    pub(super) opset: i64,
    pub(super) net: Assembly,
    /// The numbers of every parameter.
    pub(super) filled: Vec<Rc<Vec<f32>>>,
    /// Parameters that are an initializer as it stands, by its name and shape.
    shared: HashMap<(Rc<str>, Vec<usize>), ParamId>,
    pub(super) values: HashMap<String, Value>,
    /// What the node is called that gives a value.
    pub(super) titles: HashMap<String, String>,
    /// The values that nodes give, in the file's order.
    pub(super) order: Vec<String>,
    /// Layer norms with factors of 1 and summands of 0.
    pub(super) plain_norms: BTreeSet<NodeId>,
    /// Nodes by what they do to which.
    same: HashMap<(String, Vec<NodeId>), NodeId>,
    stored: HashMap<String, usize>,
    budget: usize,
    /// What the node that is being read is called.
    pub(super) title: String,
}

impl<'a> Importer<'a> {
    pub(super) fn new(file: &'a OnnxFile, opset: i64, net: Assembly) -> Importer<'a> {
        let numbers: usize =
            file.initializers().iter().map(|tensor| tensor.len).fold(0, usize::saturating_add);
        let stored = file.initializers().iter().enumerate();
        Importer {
            file,
            opset,
            net,
            filled: Vec::new(),
            shared: HashMap::new(),
            values: HashMap::new(),
            titles: HashMap::new(),
            order: Vec::new(),
            plain_norms: BTreeSet::new(),
            same: HashMap::new(),
            stored: stored.map(|(at, tensor)| (tensor.name.clone(), at)).collect(),
            // A few copies of all weights, turned or cut.
            budget: MOST_NUMBERS.saturating_add(
                numbers.min(usize::try_from(file.length()).unwrap_or(usize::MAX)).saturating_mul(4),
            ),
            title: String::new(),
        }
    }

    /// Reads one node.
    pub(super) fn node(&mut self, node: &Node) -> Result<(), ImportError> {
        node.title().clone_into(&mut self.title);
        for input in node.inputs.iter().filter(|input| !input.is_empty()) {
            if !self.values.contains_key(input) {
                let Some(at) = self.stored.get(input) else {
                    return Err(ImportError::Order { node: self.title.clone(), value: input.clone() });
                };
                let tensor = &self.file.initializers()[*at];
                let constant = Constant {
                    shape: tensor.shape.clone(),
                    data: Data::Stored(*at),
                    name: Some(tensor.name.as_str().into()),
                };
                self.values.insert(input.clone(), Value::Constant(constant));
            }
        }
        let given = match self.dispatch(node) {
            Ok(given) => given,
            Err(Stop::Fatal(error)) => return Err(error),
            Err(Stop::From(unknown)) => vec![Value::Unknown(unknown); node.outputs.len()],
            Err(Stop::Unknown(reason)) => {
                let (node_name, op) = (self.title.clone(), node.op.clone());
                let unknown = Rc::new(Unknown { node: node_name, op, reason });
                vec![Value::Unknown(unknown); node.outputs.len()]
            }
        };
        let missing = Rc::new(Unknown {
            node: self.title.clone(),
            op: node.op.clone(),
            reason: "gives something beside its result, which is not known",
        });
        let given = given.into_iter().chain(std::iter::repeat(Value::Unknown(missing)));
        for (output, value) in node.outputs.iter().zip(given).filter(|(output, _)| !output.is_empty()) {
            // A constant node's tensor stands among the initializers as well.
            if self.stored.contains_key(output) && node.op != "Constant" || self.titles.contains_key(output) {
                return Err(ImportError::Twice(output.clone()));
            }
            self.titles.insert(output.clone(), self.title.clone());
            self.order.push(output.clone());
            self.values.insert(output.clone(), value);
        }
        Ok(())
    }

    pub(super) fn dispatch(&mut self, node: &Node) -> Result<Vec<Value>, Stop> {
        if !["", "com.microsoft"].contains(&node.domain.as_str()) {
            return Err(Stop::Unknown("is of a set of operators that is not known"));
        }
        if node.has_graphs() {
            return Err(Stop::Unknown("holds a graph of its own, which is not followed"));
        }
        if [
            "DequantizeLinear",
            "QuantizeLinear",
            "QLinearConv",
            "QLinearMatMul",
            "ConvInteger",
            "MatMulInteger",
        ]
        .contains(&node.op.as_str())
            || node.op.starts_with("DynamicQuantize")
        {
            return Err(Stop::Unknown("works on quantised numbers; a model of floats is needed"));
        }
        let inputs = node.inputs.iter().filter_map(|input| self.values.get(input));
        if let Some(unknown) = inputs.clone().find_map(|value| match value {
            Value::Unknown(unknown) => Some(unknown.clone()),
            _ => None,
        }) {
            return Err(Stop::From(unknown));
        }
        if inputs.clone().all(|value| matches!(value, Value::Constant(_))) {
            return self.constant_node(node);
        }
        self.live_node(node)
    }

    /// A node that sees constants alone.
    fn constant_node(&mut self, node: &Node) -> Result<Vec<Value>, Stop> {
        if node.op == "Constant" {
            return Ok(vec![Value::Constant(self.constant(node)?)]);
        }
        if let ("Identity", Value::Constant(constant)) = (node.op.as_str(), self.value(node, 0)?) {
            // Weights that are alike are stored once, and called by their names here.
            let name = node.outputs.first().map(|name| name.as_str().into());
            return Ok(vec![Value::Constant(Constant { name, ..constant.clone() })]);
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            let constant = match self.values.get(input) {
                Some(Value::Constant(constant)) => Some(constant.clone()),
                _ => None,
            };
            // Asking for a shape reads no number.
            let needed = !["Shape", "Size"].contains(&node.op.as_str());
            let loaded = constant.map(|constant| if needed { self.loaded(&constant) } else { Ok(constant) });
            let loaded = loaded.transpose()?;
            if let Some(value) = &loaded
                && needed
            {
                self.values.insert(input.clone(), Value::Constant(value.clone()));
            }
            inputs.push(loaded);
        }
        if node.op == "ConstantOfShape" {
            inputs.push(node.tensor("value").map(|value| self.numbers(value)).transpose()?);
        }
        let folded = Fold { node, inputs: &inputs, budget: &mut self.budget }.run();
        match folded {
            Ok(constants) => Ok(constants.into_iter().map(Value::Constant).collect()),
            Err(Unfolded::Unknown) => Err(Stop::Unknown(
                "works on constants in a way that is not known; fold them first, as onnxsim does",
            )),
            Err(Unfolded::Wrong) => Err(Stop::Unknown(
                "has constants or attributes that do not fit together; see what onnx.checker says",
            )),
            Err(Unfolded::TooLarge) => Err(Stop::Unknown("makes constants of more numbers than may be")),
        }
    }

    /// What a `Constant` node gives.
    fn constant(&mut self, node: &Node) -> Result<Constant, Stop> {
        if let Some(at) = node.outputs.first().and_then(|output| self.stored.get(output)) {
            let tensor = &self.file.initializers()[*at];
            let name = Some(tensor.name.as_str().into());
            return Ok(Constant { shape: tensor.shape.clone(), data: Data::Stored(*at), name });
        }
        if let Some(tensor) = node.tensor("value") {
            return self.numbers(tensor);
        }
        if let Some(value) = node.int("value_int") {
            return Ok(Constant::integers(Vec::new(), vec![value]));
        }
        if let Some(value) = node.float("value_float") {
            return Ok(Constant::floats(Vec::new(), vec![value]));
        }
        if let Some(values) = node.ints("value_ints") {
            return Ok(Constant::list(values.to_vec()));
        }
        if let Some(values) = node.floats("value_floats") {
            return Ok(Constant::floats(vec![values.len()], values.to_vec()));
        }
        Err(Stop::Unknown("holds no numbers"))
    }

    fn numbers(&self, tensor: &StoredTensor) -> Result<Constant, Stop> {
        let data = match self.file.numbers(tensor)? {
            Numbers::Floats(data) => Data::Floats(Rc::new(data)),
            Numbers::Integers(data) | Numbers::Booleans(data) => Data::Integers(Rc::new(data)),
        };
        Ok(Constant { shape: tensor.shape.clone(), data, name: None })
    }

    /// The same constant with its numbers.
    pub(super) fn loaded(&self, constant: &Constant) -> Result<Constant, Stop> {
        let Data::Stored(at) = constant.data else { return Ok(constant.clone()) };
        let tensor = &self.file.initializers()[at];
        let loaded = self.numbers(tensor)?;
        Ok(Constant { data: loaded.data, ..constant.clone() })
    }

    /// What the node reads at that place.
    pub(super) fn value(&self, node: &Node, at: usize) -> Result<&Value, Stop> {
        let name = node.inputs.get(at).filter(|name| !name.is_empty());
        name.and_then(|name| self.values.get(name))
            .ok_or(Stop::Unknown("lacks something that it should read"))
    }

    /// Whether the node reads something at that place.
    pub(super) fn has(node: &Node, at: usize) -> bool {
        node.inputs.get(at).is_some_and(|name| !name.is_empty())
    }

    /// The constant that the node reads at that place, if it reads one there.
    pub(super) fn constant_at(&self, node: &Node, at: usize) -> Result<Option<Constant>, Stop> {
        if !Self::has(node, at) {
            return Ok(None);
        }
        match self.value(node, at)? {
            Value::Constant(constant) => self.loaded(constant).map(Some),
            _ => Err(Stop::Unknown("reads something of the picture where only constants are known")),
        }
    }

    /// The floats that the node reads at that place, and their shape.
    pub(super) fn floats_at(&self, node: &Node, at: usize) -> Result<Constant, Stop> {
        let constant = self.constant_at(node, at)?.ok_or(Stop::Unknown("lacks its weights"))?;
        match constant.data {
            Data::Floats(_) => Ok(constant),
            _ => Err(Stop::Unknown("has weights that are no floats")),
        }
    }

    /// The whole numbers that the node reads at that place, if it reads some there.
    pub(super) fn list_at(&self, node: &Node, at: usize) -> Result<Option<Vec<i64>>, Stop> {
        match self.constant_at(node, at)?.map(|constant| constant.data) {
            None => Ok(None),
            Some(Data::Integers(list)) => Ok(Some(list.to_vec())),
            Some(_) => Err(Stop::Unknown("reads floats where whole numbers are known")),
        }
    }

    /// A parameter of those numbers: called as the initializer they are, else as the node that needs them and `part`.
    pub(super) fn param(
        &mut self,
        name: Option<&Rc<str>>,
        part: &str,
        shape: &[usize],
        data: Rc<Vec<f32>>,
    ) -> ParamId {
        if let Some(name) = name {
            let key = (name.clone(), shape.to_vec());
            if let Some(param) = self.shared.get(&key).filter(|param| *self.filled[param.index()] == *data) {
                return *param;
            }
            let param = self.net.param(name, shape);
            self.filled.push(data);
            self.shared.insert(key, param);
            return param;
        }
        let param = self.net.param(&format!("{}.{part}", self.title), shape);
        self.filled.push(data);
        param
    }

    /// Takes so many numbers off what constants may still have; false where there are not as many.
    pub(super) fn can_spend(&mut self, numbers: usize) -> bool {
        match self.budget.checked_sub(numbers) {
            Some(rest) => {
                self.budget = rest;
                true
            }
            None => false,
        }
    }

    /// A node of ours, called as the one that is being read; or the one that does the same already.
    pub(super) fn push(&mut self, op: Op, inputs: &[NodeId]) -> Result<NodeId, Stop> {
        let key = (format!("{op:?}"), inputs.to_vec());
        if let Some(node) = self.same.get(&key) {
            return Ok(*node);
        }
        let node = self.net.push(&self.title, op, inputs)?;
        self.same.insert(key, node);
        Ok(node)
    }

    /// The whole of a new node, which keeps the places of `like` and has as many channels.
    pub(super) fn same(&mut self, op: Op, like: &View) -> Result<View, Stop> {
        let node = self.push(op, &[like.node])?;
        Ok(like.on(node))
    }
}

/// What most nodes give.
pub(super) fn live(view: View) -> Vec<Value> {
    vec![Value::Live(Live::of(view))]
}
