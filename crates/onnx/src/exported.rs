//! What a model is to be made of.

use super::{LOGITS, VALUES};
use input::image::Preprocessing;
use weights::{Bound, Dense};

/// A model: backbones side by side, and perhaps a head on their features.
#[derive(Clone, Copy)]
pub struct Exported<'a> {
    /// At least one.
    pub towers: &'a [Tower<'a>],
    /// What reads the features.
    pub head: Option<HeadGraph<'a>>,
    /// Whether matrices and kernels are stored as f16. What is computed with them is f32 as ever.
    pub halves: bool,
    /// Goes into the file as it is, in its order.
    pub metadata: &'a [(String, String)],
}

/// A backbone.
#[derive(Clone, Copy)]
pub struct Tower<'a> {
    /// The network up to its taps.
    pub bound: &'a Bound,
    /// Height and width of its pictures, in pixels.
    pub size: (usize, usize),
    /// How pictures become its input, where that is to be in the model. Either all towers have it or none.
    pub image: Option<&'a Preprocessing>,
    /// Of each of its outputs, its place among the features of all towers.
    pub places: &'a [usize],
}

impl<'a> Tower<'a> {
    /// The only one, whose outputs stand in their order.
    pub fn alone(bound: &'a Bound, size: (usize, usize)) -> Tower<'a> {
        Tower { bound, size, image: None, places: &[] }
    }
}

impl Exported<'_> {
    /// Whether the model's input is a picture of any size.
    pub(super) fn takes_image(&self) -> bool {
        self.towers.iter().any(|tower| tower.image.is_some())
    }
}

/// A head.
#[derive(Clone, Copy)]
pub struct HeadGraph<'a> {
    /// What it is made of.
    pub body: Body<'a>,
    /// What its outputs are.
    pub ending: Ending,
    /// What says how far features are from those that it was fitted on.
    pub novelty: Option<Whitened<'a>>,
}

/// What a head is made of.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// A network that is given the features: [`weights::head_graph`].
    Layers(&'a Bound),
    /// A memory.
    Neighbours(Neighbours<'a>),
}

/// Remembered rows, of which the nearest vote.
#[derive(Clone, Copy)]
pub struct Neighbours<'a> {
    /// (n, d), each of length 1, or 0.
    pub rows: &'a [f32],
    /// d
    pub dim: usize,
    /// How many vote.
    pub count: usize,
    /// T: a vote counts exp(cosine / T).
    pub temperature: f64,
    /// What is so of each row.
    pub truth: Remembered<'a>,
    /// Classes, labels, or numbers.
    pub outputs: usize,
}

/// What is so of remembered rows.
#[derive(Clone, Copy)]
pub enum Remembered<'a> {
    /// The class of each.
    Classes(&'a [u32]),
    /// Labels, 0 or 1, or numbers: (n, outputs).
    Values(&'a [f64]),
}

/// Mahalanobis' distance to the nearest mean: √(min ‖z − m‖² / d) of z = W x + b.
#[derive(Clone, Copy)]
pub struct Whitened<'a> {
    /// W and b: (d, d) and (d,).
    pub whitening: &'a Dense,
    /// The means m: (C, d).
    pub means: &'a [f32],
    /// Beyond it features are novel.
    pub threshold: f64,
}

/// What the outputs of a head are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Logits of classes: a softmax gives probabilities.
    Classes,
    /// Logits of labels, each by itself: a sigmoid gives probabilities.
    Labels,
    /// Numbers.
    Values,
}

impl Ending {
    /// What the head's output is called.
    pub(super) fn output(self) -> &'static str {
        match self {
            Ending::Classes | Ending::Labels => LOGITS,
            Ending::Values => VALUES,
        }
    }
}
