//! Operators that stand for several others: what runtimes fuse, and attention as one node.

use super::Given;
use crate::import::{
    constant::Constant,
    importer::{Importer, Stop},
    model::Node,
};

/// The operators that a node stands for, one after the other.
#[derive(Default)]
struct Steps {
    nodes: Vec<Node>,
    constants: Vec<(String, Constant)>,
}

/// What an attention reads.
struct Attention<'a> {
    /// (n, heads · depth), or (heads, n, depth) where `is_split`.
    parts: [String; 3],
    heads: [usize; 2],
    is_split: bool,
    scale: Option<f32>,
    /// Added to the scores.
    bias: &'a str,
}

impl Importer<'_> {
    /// A node that stands for several, if it is one.
    pub(super) fn fused(&mut self, node: &Node) -> Option<Given> {
        let steps = match (node.domain.as_str(), node.op.as_str()) {
            ("com.microsoft", "BiasGelu") => biased(node, "Gelu", ""),
            ("com.microsoft", "FastGelu") => biased(node, "Gelu", "tanh"),
            ("com.microsoft", "FusedMatMul") => self.fused_product(node),
            ("com.microsoft", "FusedConv" | "FusedGemm") => activated(node),
            ("com.microsoft", "SkipLayerNormalization") => normalised_sum(node),
            ("com.microsoft", "Attention") => self.attention_of_one(node),
            ("com.microsoft", "MultiHeadAttention") => self.attention_of_heads(node),
            ("", "Attention") => self.attention_node(node),
            _ => return None,
        };
        Some(steps.and_then(|(steps, outputs)| self.all(node, steps, &outputs)))
    }

    /// Reads all steps, and gives what they come to.
    fn all(&mut self, node: &Node, steps: Steps, outputs: &[String]) -> Given {
        for (name, constant) in steps.constants {
            self.values.insert(name, super::Value::Constant(constant));
        }
        for step in &steps.nodes {
            let given = self.dispatch(step)?;
            for (name, value) in step.outputs.iter().zip(given) {
                self.titles.insert(name.clone(), node.title().to_owned());
                self.values.insert(name.clone(), value);
            }
        }
        let value = |name: &String| {
            self.values.get(name).cloned().ok_or(Stop::Unknown("gives something that is not known"))
        };
        outputs.iter().map(value).collect()
    }

    fn rank(&self, node: &Node, at: usize) -> Result<usize, Stop> {
        Ok(self.value(node, at)?.shape().len())
    }

    fn fused_product(&self, node: &Node) -> Result<(Steps, Vec<String>), Stop> {
        if ["transBatchA", "transBatchB"].iter().any(|name| node.int(name).unwrap_or(0) != 0) {
            return Err(Stop::Unknown("turns its batches"));
        }
        let mut steps = Steps::default();
        let mut sides = Vec::with_capacity(2);
        for (at, name) in ["transA", "transB"].into_iter().enumerate() {
            let rank = self.rank(node, at)?;
            let input = input(node, at)?;
            sides.push(match node.int(name).unwrap_or(0) {
                0 => input.to_owned(),
                _ if rank >= 2 => steps.last_two_turned(node, input, rank),
                _ => return Err(Stop::Unknown("turns what is no matrix")),
            });
        }
        let product = steps.add(node, "MatMul", &[&sides[0], &sides[1]], |_| ());
        let alpha = node.float("alpha").unwrap_or(1.0);
        let product = steps.times(node, &product, alpha);
        Ok((steps, vec![product]))
    }

    /// ONNX's own: three values in heads, or with heads side by side.
    fn attention_node(&self, node: &Node) -> Result<(Steps, Vec<String>), Stop> {
        let is_plain = node.int("is_causal").unwrap_or(0) == 0 && node.float("softcap").unwrap_or(0.0) == 0.0;
        if !is_plain || (4..7).any(|at| Self::has(node, at)) {
            return Err(Stop::Unknown("is attention that remembers, caps or hides"));
        }
        let is_split = self.rank(node, 0)? == 4;
        let shape = self.value(node, 0)?.shape();
        let of_keys = self.value(node, 1)?.shape();
        let count = |name: &str| node.int(name).and_then(|count| usize::try_from(count).ok());
        let heads = if is_split {
            [shape.get(1).copied(), of_keys.get(1).copied()]
        } else {
            [count("q_num_heads"), count("kv_num_heads")]
        };
        let [Some(q), Some(kv)] = heads else { return Err(Stop::Unknown("does not say its heads")) };
        let parts = [input(node, 0)?, input(node, 1)?, input(node, 2)?].map(str::to_owned);
        let bias = node.inputs.get(3).map_or("", String::as_str);
        let attention = Attention { parts, heads: [q, kv], is_split, scale: node.float("scale"), bias };
        self.attention_steps(node, Steps::default(), &attention)
    }

    /// ONNX Runtime's, which multiplies with the weights of queries, keys and values as well.
    fn attention_of_one(&self, node: &Node) -> Result<(Steps, Vec<String>), Stop> {
        let flags = ["unidirectional", "do_rotary", "past_present_share_buffer"];
        let is_plain = flags.iter().all(|flag| node.int(flag).unwrap_or(0) == 0);
        if !is_plain
            || [3, 4, 6].iter().any(|at| Self::has(node, *at))
            || node.ints("qkv_hidden_sizes").is_some()
        {
            return Err(Stop::Unknown("is attention that remembers, hides or turns"));
        }
        let mut steps = Steps::default();
        let mut qkv = steps.add(node, "MatMul", &[input(node, 0)?, input(node, 1)?], |_| ());
        if Self::has(node, 2) {
            qkv = steps.add(node, "Add", &[&qkv, input(node, 2)?], |_| ());
        }
        let parts = steps.thirds(node, &qkv, 2);
        let bias = node.inputs.get(5).map_or("", String::as_str);
        let heads = heads(node)?;
        let attention = Attention { parts, heads: [heads; 2], is_split: false, scale: scale(node), bias };
        self.attention_steps(node, steps, &attention)
    }

    fn attention_of_heads(&self, node: &Node) -> Result<(Steps, Vec<String>), Stop> {
        let known = (0..3).all(|at| Self::has(node, at)) && ![4, 6, 7].iter().any(|at| Self::has(node, *at));
        if !known || node.int("unidirectional").unwrap_or(0) != 0 || self.rank(node, 1)? != 3 {
            return Err(Stop::Unknown("is attention that remembers, hides or packs"));
        }
        let mut steps = Steps::default();
        let mut parts = [input(node, 0)?, input(node, 1)?, input(node, 2)?].map(str::to_owned);
        if Self::has(node, 3) {
            let biases = steps.thirds(node, input(node, 3)?, 0);
            for (part, bias) in parts.iter_mut().zip(&biases) {
                *part = steps.add(node, "Add", &[part, bias], |_| ());
            }
        }
        let bias = node.inputs.get(5).map_or("", String::as_str);
        let heads = heads(node)?;
        let attention = Attention { parts, heads: [heads; 2], is_split: false, scale: scale(node), bias };
        self.attention_steps(node, steps, &attention)
    }

    fn attention_steps(
        &self,
        node: &Node,
        mut steps: Steps,
        attention: &Attention<'_>,
    ) -> Result<(Steps, Vec<String>), Stop> {
        let [heads, of_keys] = attention.heads;
        let query = self.value(node, 0)?.shape();
        let width = match (attention.is_split, node.op.as_str(), query.last()) {
            // Weights say how wide queries are.
            (false, "Attention", _) if node.domain == "com.microsoft" => {
                self.value(node, 1)?.shape().last().map(|width| width / 3)
            }
            (_, _, width) => width.copied(),
        };
        let depth = width.map_or(0, |width| if attention.is_split { width } else { width / heads.max(1) });
        if heads == 0 || heads != of_keys || depth == 0 {
            return Err(Stop::Unknown("has other heads of queries than of keys"));
        }
        let [q, k, v] = attention.parts.clone().map(|part| {
            if attention.is_split {
                return part;
            }
            let split = steps.reshaped(node, &part, &[0, 0, heads as i64, -1]);
            steps.add(node, "Transpose", &[&split], |step| step.set_ints("perm", &[0, 2, 1, 3]))
        });
        let k = steps.add(node, "Transpose", &[&k], |step| step.set_ints("perm", &[0, 1, 3, 2]));
        let scores = steps.add(node, "MatMul", &[&q, &k], |_| ());
        let factor = attention.scale.unwrap_or_else(|| 1.0 / (depth as f32).sqrt());
        let mut scores = steps.times(node, &scores, factor);
        if !attention.bias.is_empty() {
            scores = steps.add(node, "Add", &[&scores, attention.bias], |_| ());
        }
        let shares = steps.add(node, "Softmax", &[&scores], |step| step.set_int("axis", -1));
        let mut mixed = steps.add(node, "MatMul", &[&shares, &v], |_| ());
        if !attention.is_split {
            mixed = steps.add(node, "Transpose", &[&mixed], |step| step.set_ints("perm", &[0, 2, 1, 3]));
            mixed = steps.reshaped(node, &mixed, &[0, 0, -1]);
        }
        Ok((steps, vec![mixed]))
    }
}

impl Steps {
    fn name(&self, node: &Node) -> String {
        // No file's own name: it would end there.
        format!("{}\0{}", node.title(), self.nodes.len() + self.constants.len())
    }

    /// One more operator; what it gives is called so.
    fn add(&mut self, node: &Node, op: &str, inputs: &[&str], set: impl FnOnce(&mut Node)) -> String {
        let output = self.name(node);
        let mut step = Node::step(node.title(), op, inputs, vec![output.clone()]);
        set(&mut step);
        self.nodes.push(step);
        output
    }

    fn constant(&mut self, node: &Node, constant: Constant) -> String {
        let name = self.name(node);
        self.constants.push((name.clone(), constant));
        name
    }

    fn times(&mut self, node: &Node, value: &str, factor: f32) -> String {
        if factor == 1.0 {
            return value.to_owned();
        }
        let factor = self.constant(node, Constant::floats(Vec::new(), vec![factor]));
        self.add(node, "Mul", &[value, &factor], |_| ())
    }

    fn reshaped(&mut self, node: &Node, value: &str, shape: &[i64]) -> String {
        let shape = self.constant(node, Constant::list(shape.to_vec()));
        self.add(node, "Reshape", &[value, &shape], |_| ())
    }

    fn last_two_turned(&mut self, node: &Node, value: &str, rank: usize) -> String {
        let mut order: Vec<i64> = (0..).take(rank).collect();
        order.swap(rank - 2, rank - 1);
        self.add(node, "Transpose", &[value], |step| step.set_ints("perm", &order))
    }

    /// Three parts of as many numbers.
    fn thirds(&mut self, node: &Node, value: &str, axis: i64) -> [String; 3] {
        let stem = self.name(node);
        let names = [0, 1, 2].map(|at| format!("{stem}\0{at}"));
        let mut step = Node::step(node.title(), "Split", &[value], names.to_vec());
        step.set_int("axis", axis);
        self.nodes.push(step);
        names
    }
}

fn input(node: &Node, at: usize) -> Result<&str, Stop> {
    let name = node.inputs.get(at).map(String::as_str).filter(|name| !name.is_empty());
    name.ok_or(Stop::Unknown("lacks something that it should read"))
}

fn heads(node: &Node) -> Result<usize, Stop> {
    let heads = node.int("num_heads").and_then(|heads| usize::try_from(heads).ok());
    heads.filter(|heads| *heads > 0).ok_or(Stop::Unknown("does not say its heads"))
}

fn scale(node: &Node) -> Option<f32> {
    node.float("scale").filter(|scale| *scale != 0.0)
}

/// A function of a sum with a bias.
fn biased(node: &Node, op: &str, approximate: &str) -> Result<(Steps, Vec<String>), Stop> {
    let mut steps = Steps::default();
    let mut sum = input(node, 0)?.to_owned();
    if let Ok(bias) = input(node, 1) {
        sum = steps.add(node, "Add", &[&sum, bias], |_| ());
    }
    let value = steps.add(node, op, &[&sum], |step| step.set_text("approximate", approximate));
    Ok((steps, vec![value]))
}

/// A product and an activation.
fn activated(node: &Node) -> Result<(Steps, Vec<String>), Stop> {
    let name = node.text("activation").unwrap_or("");
    let numbers = match name {
        "" | "Relu" | "Sigmoid" | "Tanh" => [""; 2],
        "LeakyRelu" => ["alpha", ""],
        "HardSigmoid" => ["alpha", "beta"],
        "Clip" => ["min", "max"],
        _ => return Err(Stop::Unknown("is fused with something that is not known")),
    };
    if node.inputs.len() > 3 {
        return Err(Stop::Unknown("is fused with something that is not known"));
    }
    let own = [node.float("activation_alpha"), node.float("activation_beta")];
    let given = node.floats("activation_params");
    let mut steps = Steps::default();
    let mut value = steps.name(node);
    steps.nodes.push(node.plain(node.op.trim_start_matches("Fused"), &value));
    if !name.is_empty() {
        value = steps.add(node, name, &[&value], |step| {
            for (at, number) in numbers.into_iter().enumerate().filter(|(_, number)| !number.is_empty()) {
                let given = given.and_then(|given| given.get(at).copied()).or(own[at]);
                given.into_iter().for_each(|value| step.set_float(number, value));
            }
        });
    }
    Ok((steps, vec![value]))
}

/// A layer norm of a sum; the sum is given as well.
fn normalised_sum(node: &Node) -> Result<(Steps, Vec<String>), Stop> {
    let mut steps = Steps::default();
    let mut sum = steps.add(node, "Add", &[input(node, 0)?, input(node, 1)?], |_| ());
    if let Ok(bias) = input(node, 4) {
        sum = steps.add(node, "Add", &[&sum, bias], |_| ());
    }
    let params: Vec<&str> = [input(node, 2).ok(), input(node, 3).ok()].into_iter().flatten().collect();
    let eps = node.float("epsilon").unwrap_or(1e-12);
    let inputs = [&[sum.as_str()], params.as_slice()].concat();
    let value = steps.add(node, "LayerNormalization", &inputs, |step| step.set_float("epsilon", eps));
    // Mean and deviation stand between; nobody reads them when a model runs.
    let none = steps.constant(node, Constant::list(Vec::new()));
    Ok((steps, vec![value, none.clone(), none, sum]))
}
