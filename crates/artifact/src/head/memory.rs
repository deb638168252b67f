//! What a head of nearest neighbours remembers.

use super::tensors::{Named, floats, whole};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

const ROWS: &str = "memory";
const LABELS: &str = "memory_labels";

/// The rows that a head of nearest neighbours remembers, and how they vote.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// How many of the nearest vote.
    pub neighbours: usize,
    /// T: a neighbour's vote counts exp(cosine / T).
    pub temperature: f64,
    /// d
    pub dim: usize,
    /// Features of length 1, or 0 where they were: (n, d) row-major.
    pub rows: Vec<f32>,
    /// Class of each row: (n,).
    pub labels: Vec<u32>,
}

/// What the header says of a memory.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Votes {
    neighbours: usize,
    temperature: f64,
}

impl Memory {
    pub(super) fn votes(&self) -> Votes {
        Votes { neighbours: self.neighbours, temperature: self.temperature }
    }

    pub(super) fn tensors(&self) -> [Named; 2] {
        let rows = self.rows.len() / self.dim.max(1);
        [Named::floats(ROWS, vec![rows, self.dim], &self.rows), Named::whole(LABELS, &self.labels)]
    }

    pub(super) fn read(votes: &Votes, tensors: &SafeTensors<'_>, classes: usize) -> Result<Memory, String> {
        let &Votes { neighbours, temperature } = votes;
        let (rows, shape) = floats(tensors, ROWS)?;
        let (labels, label_shape) = whole(tensors, LABELS)?;
        let [count, dim] = shape[..] else { return Err(format!("a memory of shape {shape:?}")) };
        if label_shape != [count] {
            return Err(format!("a memory of {count} rows and {} labels", labels.len()));
        }
        if let Some(label) = labels.iter().find(|label| **label as usize >= classes) {
            return Err(format!("a memory with label {label} of {classes} classes"));
        }
        if !(1..=count).contains(&neighbours) {
            return Err(format!("{neighbours} neighbours of {count} rows"));
        }
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(format!("a temperature of {temperature}"));
        }
        Ok(Memory { neighbours, temperature, dim, rows, labels })
    }
}
