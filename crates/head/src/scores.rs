//! Applying a head of any kind.

use crate::{Head, HeadError, Memory};
use engine::{Cpu, EngineError, Isa};
use weights::{AttentionPool, Bound, Dense};

use crate::{attention::Pooling, knn::Voters, logits::Logits};

/// A head made ready to be applied to block after block of rows.
pub struct Scorer {
    kind: Kind,
    outputs: usize,
}

enum Kind {
    Layers(Option<Pooling>, Logits),
    Neighbours(Voters),
    Graph(Box<Cpu>),
}

impl Scorer {
    /// Lays the head's numbers out anew.
    ///
    /// # Errors
    /// Where the head's graph cannot be run.
    pub fn of(head: &Head) -> Result<Scorer, HeadError> {
        match (&head.graph, &head.memory) {
            (Some(graph), _) => Ok(Scorer::of_graph(graph.clone(), head.classes.len())?),
            (None, Some(memory)) => Ok(Scorer::of_memory(memory, head.classes.len())),
            (None, None) => Ok(Scorer::of_pooled(head.pool.as_ref(), &head.layers)),
        }
    }

    /// The same of layers.
    pub fn of_layers(layers: &[Dense]) -> Scorer {
        Scorer::of_pooled(None, layers)
    }

    /// The same of layers that read what an attention pool gives, where there is one.
    pub fn of_pooled(pool: Option<&AttentionPool>, layers: &[Dense]) -> Scorer {
        let outputs = layers.last().map_or(0, |layer| layer.outputs);
        Scorer { kind: Kind::Layers(pool.map(Pooling::of), Logits::of(layers)), outputs }
    }

    /// The same of a memory of so many outputs.
    pub fn of_memory(memory: &Memory, outputs: usize) -> Scorer {
        Scorer { kind: Kind::Neighbours(Voters::of(memory, outputs)), outputs }
    }

    /// The same of a graph of so many outputs.
    ///
    /// # Errors
    /// Where it does not read one row of features, or cannot be run.
    pub fn of_graph(graph: Bound, outputs: usize) -> Result<Scorer, EngineError> {
        let engine = Cpu::given(graph, Isa::best())?;
        // What cannot be run is told here, and not of the first row.
        engine.run_rows(&vec![0.0; engine.given_width()])?;
        Ok(Scorer { kind: Kind::Graph(Box::new(engine)), outputs })
    }

    /// Number of classes, of labels, or of numbers a row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// What the head makes of the rows of `x` (n, d): (n, outputs), whose softmax are the probabilities of classes, whose
    /// sigmoids those of labels, or numbers. A row's scores depend on the row alone, and on no instruction set.
    ///
    /// # Panics
    /// Where `x` is not a whole number of rows of the head's features; where memory is short, as whatever asks for some.
    pub fn of_rows(&self, x: &[f32]) -> Vec<f32> {
        match &self.kind {
            Kind::Layers(None, layers) => layers.of_rows(x),
            Kind::Layers(Some(pool), layers) => layers.of_rows(&pool.of_rows(x)),
            Kind::Neighbours(voters) => voters.of_rows(x),
            Kind::Graph(engine) => match engine.run_rows(x) {
                Ok(mut outputs) => outputs.swap_remove(0),
                Err(error) => panic!("{error}"),
            },
        }
    }
}
