//! What is worked out while a graph is read: nodes that see constants alone.

mod arithmetic;
mod select;
mod shapes;

pub(super) use arithmetic::is_float;
pub(super) use select::{Part, parts, split};
pub(super) use shapes::{order, reshaped, shape_of};

use super::{
    constant::{Constant, Data},
    model::Node,
};
use std::rc::Rc;

/// Why a node of constants is not worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfolded {
    /// The operator is none of those that are.
    Unknown,
    /// Its inputs or attributes make no sense together.
    Wrong,
    /// More numbers would come of it than there may be.
    TooLarge,
}

type Folded = Result<Vec<Constant>, Unfolded>;

/// A node, its inputs, and how many numbers constants may still have.
pub(super) struct Fold<'a> {
    pub(super) node: &'a Node,
    /// None is [`Data::Stored`].
    pub(super) inputs: &'a [Option<Constant>],
    pub(super) budget: &'a mut usize,
}

impl Fold<'_> {
    pub(super) fn run(&mut self) -> Folded {
        let one = |constant: Constant| Ok(vec![constant]);
        match self.node.op.as_str() {
            "Identity" | "Dropout" => one(self.input(0)?.clone()),
            "Cast" | "CastLike" => self.cast().and_then(one),
            "Shape" => self.shape().and_then(one),
            "Size" => {
                let size = i64::try_from(self.input(0)?.len()).map_err(|_| Unfolded::Wrong)?;
                one(Constant::integers(Vec::new(), vec![size]))
            }
            "ConstantOfShape" => self.constant_of_shape().and_then(one),
            "Range" => self.range().and_then(one),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => {
                let input = self.input(0)?.clone();
                let shape = self.new_shape(&input.shape).ok_or(Unfolded::Wrong)?;
                one(input.reshaped(shape))
            }
            "Transpose" => self.transpose().and_then(one),
            "Expand" | "Tile" => self.repeat().and_then(one),
            "Concat" => self.concat().and_then(one),
            "Slice" => self.slice().and_then(one),
            "Split" => self.split(),
            "Gather" => self.gather().and_then(one),
            "GatherND" => self.gather_tuples().and_then(one),
            "Where" => self.choose().and_then(one),
            "ReduceProd" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceMean" => {
                self.reduce().and_then(one)
            }
            "MatMul" => self.product().and_then(one),
            "Clip" => self.clip().and_then(one),
            "ScatterND" => self.scatter().and_then(one),
            "NonZero" => self.non_zero().and_then(one),
            "Resize" => self.resized().and_then(one),
            "Trilu" | "CumSum" | "Pad" => Err(Unfolded::Unknown),
            _ => self.element_wise().and_then(one),
        }
    }

    /// A tensor that is resized to the size it has.
    fn resized(&self) -> Result<Constant, Unfolded> {
        let input = self.input(0)?;
        let factors = self.floats(2).is_ok_and(|factors| {
            factors.len() == input.shape.len() && factors.iter().all(|factor| *factor == 1.0)
        });
        let sizes = self.integers(3).is_ok_and(|sizes| {
            let own = input.shape.iter().map(|side| i64::try_from(*side).ok());
            sizes.iter().map(|size| Some(*size)).eq(own)
        });
        if factors || sizes { Ok(input.clone()) } else { Err(Unfolded::Unknown) }
    }

    fn input(&self, at: usize) -> Result<&Constant, Unfolded> {
        self.inputs.get(at).and_then(Option::as_ref).ok_or(Unfolded::Wrong)
    }

    fn floats(&self, at: usize) -> Result<Rc<Vec<f32>>, Unfolded> {
        match &self.input(at)?.data {
            Data::Floats(data) => Ok(data.clone()),
            _ => Err(Unfolded::Wrong),
        }
    }

    fn integers(&self, at: usize) -> Result<Rc<Vec<i64>>, Unfolded> {
        match &self.input(at)?.data {
            Data::Integers(data) => Ok(data.clone()),
            _ => Err(Unfolded::Wrong),
        }
    }

    /// Takes the numbers of a tensor of this shape off what there may be.
    fn spend(&mut self, shape: &[usize]) -> Result<usize, Unfolded> {
        let len = shape.iter().try_fold(1_usize, |len, side| len.checked_mul(*side));
        let len = len.ok_or(Unfolded::TooLarge)?;
        *self.budget = self.budget.checked_sub(len.max(1)).ok_or(Unfolded::TooLarge)?;
        Ok(len)
    }

    /// The numbers of input 0 at those places of it, under a new shape.
    fn picked(&self, shape: Vec<usize>, places: &[usize]) -> Result<Constant, Unfolded> {
        use super::constant::gather;
        Ok(match &self.input(0)?.data {
            Data::Floats(data) => Constant::floats(shape, gather(data, places)),
            Data::Integers(data) => Constant::integers(shape, gather(data, places)),
            Data::Stored(_) => return Err(Unfolded::Wrong),
        })
    }
}

/// An axis that counts from the end where it is negative.
pub(super) fn axis(axis: i64, rank: usize) -> Option<usize> {
    let signed = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis.checked_add(signed)? } else { axis };
    usize::try_from(axis).ok().filter(|axis| *axis < rank)
}
