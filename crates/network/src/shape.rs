//! The shape of what a node gives.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The shape of one sample at a node; the batch axis is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// (channels, height, width).
    Map {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// (d,).
    Vector(usize),
    /// (prefix + places, d): places of a picture, row by row, after tokens that stand for none.
    Tokens {
        /// Tokens before the places.
        prefix: usize,
        /// Tokens that are places.
        places: usize,
        /// Numbers in each.
        width: usize,
    },
    /// (n, d): a row for each token of a text. n is the text's, so lengths and places here are those of one token.
    Sequence {
        /// Numbers in each.
        width: usize,
    },
}

impl Shape {
    /// How many numbers.
    pub fn len(self) -> usize {
        match self {
            Shape::Map { channels, height, width } => channels * height * width,
            Shape::Vector(d) | Shape::Sequence { width: d } => d,
            Shape::Tokens { prefix, places, width } => (prefix + places) * width,
        }
    }

    /// Numbers at each place, or in each token: what a layer norm or a dense layer sees at a time.
    pub fn width(self) -> usize {
        match self {
            Shape::Map { channels: width, .. }
            | Shape::Vector(width)
            | Shape::Tokens { width, .. }
            | Shape::Sequence { width } => width,
        }
    }

    /// Places of a map, or tokens; 1 of a vector, and of a text.
    pub fn places(self) -> usize {
        match self {
            Shape::Map { height, width, .. } => height * width,
            Shape::Vector(_) | Shape::Sequence { .. } => 1,
            Shape::Tokens { prefix, places, .. } => prefix + places,
        }
    }

    /// Its sides: (channels, height, width), (d,), or (n, d). Of a text those of one token.
    pub fn sides(self) -> Vec<usize> {
        match self {
            Shape::Map { channels, height, width } => vec![channels, height, width],
            Shape::Vector(d) | Shape::Sequence { width: d } => vec![d],
            Shape::Tokens { prefix, places, width } => vec![prefix + places, width],
        }
    }

    /// The same with another number of channels.
    pub(crate) fn with_width(self, d: usize) -> Shape {
        match self {
            Shape::Map { height, width, .. } => Shape::Map { channels: d, height, width },
            Shape::Vector(_) => Shape::Vector(d),
            Shape::Sequence { .. } => Shape::Sequence { width: d },
            Shape::Tokens { prefix, places, .. } => Shape::Tokens { prefix, places, width: d },
        }
    }

    /// Whether there is no number at all.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Map { channels, height, width } => write!(f, "a map ({channels}, {height}, {width})"),
            Shape::Vector(d) => write!(f, "a vector ({d},)"),
            Shape::Tokens { prefix, places, width } => write!(f, "tokens ({}, {width})", prefix + places),
            Shape::Sequence { width } => write!(f, "the tokens of a text (n, {width})"),
        }
    }
}
