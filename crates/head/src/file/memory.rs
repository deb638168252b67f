//! What a head of nearest neighbours remembers.

use super::tensors::{Named, floats, whole};
use safetensors::SafeTensors;
use sample::targets::{Task, Truth};
use serde::{Deserialize, Serialize};

const ROWS: &str = "memory";
const LABELS: &str = "memory_labels";
const TARGETS: &str = "memory_targets";

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
    /// What is so of each row; labels and numbers as f32 has them.
    pub truth: Truth,
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
        let truth = match &self.truth {
            Truth::Class(labels) => Named::whole(LABELS, labels),
            Truth::Labels(values) | Truth::Numbers(values) => {
                let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
                Named::floats(TARGETS, vec![rows, values.len() / rows.max(1)], &narrow)
            }
        };
        [Named::floats(ROWS, vec![rows, self.dim], &self.rows), truth]
    }

    pub(super) fn read(
        votes: &Votes,
        tensors: &SafeTensors<'_>,
        task: Task,
        outputs: usize,
    ) -> Result<Memory, String> {
        let &Votes { neighbours, temperature } = votes;
        let (rows, shape) = floats(tensors, ROWS)?;
        let [count, dim] = shape[..] else { return Err(format!("a memory of shape {shape:?}")) };
        let truth = match task {
            Task::Class => Truth::Class(classes(tensors, count, outputs)?),
            Task::Labels => {
                let values = values(tensors, count, outputs)?;
                if let Some(other) = values.iter().find(|value| ![0.0, 1.0].contains(*value)) {
                    return Err(format!("a memory with a label of {other}, expected 0 or 1"));
                }
                Truth::Labels(values)
            }
            Task::Numbers => Truth::Numbers(values(tensors, count, outputs)?),
        };
        if !(1..=count).contains(&neighbours) {
            return Err(format!("{neighbours} neighbours of {count} rows"));
        }
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(format!("a temperature of {temperature}"));
        }
        Ok(Memory { neighbours, temperature, dim, rows, truth })
    }
}

/// Each row's class.
fn classes(tensors: &SafeTensors<'_>, count: usize, classes: usize) -> Result<Vec<u32>, String> {
    let (labels, shape) = whole(tensors, LABELS)?;
    if shape != [count] {
        return Err(format!("a memory of {count} rows and {} labels", labels.len()));
    }
    match labels.iter().find(|label| **label as usize >= classes) {
        Some(label) => Err(format!("a memory with label {label} of {classes} classes")),
        None => Ok(labels),
    }
}

/// Each row's labels or numbers: (n, outputs).
fn values(tensors: &SafeTensors<'_>, count: usize, outputs: usize) -> Result<Vec<f64>, String> {
    let (values, shape) = floats(tensors, TARGETS)?;
    if shape != [count, outputs] {
        return Err(format!(
            "a memory of {count} rows with {outputs} outputs, and targets of shape {shape:?}"
        ));
    }
    Ok(values.into_iter().map(f64::from).collect())
}
