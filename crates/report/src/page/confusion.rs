//! Which class is taken for which.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeTuple as _, Serializer};

use super::Samples;

/// The confusion matrix as the cells that are not zero. The page shows classes that are confused
/// with each other side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Confusion {
    /// The cells, right predictions too; each (truth, predicted) at most once.
    pub cells: Vec<Cell>,
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The class that the rows have.
    pub truth: u32,
    /// The class that they were given.
    pub predicted: u32,
    /// How many.
    pub count: u64,
}

impl Confusion {
    /// Counts `samples`, which must be all rows of the split.
    pub fn of(samples: &Samples) -> Confusion {
        let mut counts = BTreeMap::new();
        for pair in samples.truth.iter().copied().zip(samples.predicted.iter().copied()) {
            *counts.entry(pair).or_insert(0) += 1;
        }
        let cells =
            counts.into_iter().map(|((truth, predicted), count)| Cell { truth, predicted, count }).collect();
        Confusion { cells }
    }
}

/// A list of three numbers: there are tens of thousands.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(3)?;
        tuple.serialize_element(&self.truth)?;
        tuple.serialize_element(&self.predicted)?;
        tuple.serialize_element(&self.count)?;
        tuple.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_by_cell() {
        let samples = Samples { truth: vec![1, 0, 1, 1], predicted: vec![0, 0, 0, 1], ..Samples::default() };
        let confusion = Confusion::of(&samples);
        assert_eq!(serde_json::to_string(&confusion).unwrap(), r#"{"cells":[[0,0,1],[1,0,2],[1,1,1]]}"#);
    }
}
