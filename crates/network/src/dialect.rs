//! Where an ecosystem keeps the numbers of a family's networks.

use crate::Network;
use input::Recipe;
use std::ops::Range;

/// How an ecosystem keeps the parameters of a family's networks, whose own names are torchvision's.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The ecosystem: `timm`.
    pub name: &'static str,
    /// How inputs are made for weights that are kept so, where it is not as the network's entry says.
    pub recipe: Option<fn() -> Recipe>,
    /// The eps of batch norms there, where it is not the network's.
    batch_norm_eps: Option<f32>,
    /// Whether the network of a name may be kept so: others may have the same tensors, and other numbers besides.
    is_of: fn(&str) -> bool,
    /// Of which of the family's networks the ecosystem has weights.
    is_known_for: fn(&str) -> bool,
    place: Place,
}

/// From our name of a parameter to where its numbers are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Same,
    Renamed(fn(&str) -> String),
    Stored(fn(&str) -> Stored),
}

/// Where the numbers of one parameter are.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// In a tensor of the same shape, but for axes of length 1.
    As(String),
    /// In a tensor whose axes stand in another order, or whose numbers stand for others.
    Turned(String, Turn),
    /// In some of the equal parts along the first axis of a tensor.
    Part {
        /// The tensor.
        name: String,
        /// Which parts.
        parts: Range<usize>,
        /// Of how many.
        of: usize,
    },
    /// In several, of equal shapes, one after the other along the first axis, as queries, keys and values may be.
    Rows(Vec<Stored>),
    /// Nowhere: all of them are this number.
    Always(f32),
}

/// How a stored tensor becomes ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A convolution (h, w, in, out), to (out, in, h, w).
    Conv,
    /// A depthwise convolution (h, w, c, m), to (c·m, 1, h, w).
    Depthwise,
    /// A dense layer (in, out), to (out, in).
    Dense,
    /// A dense layer over a flattened map of so many rows and columns, (h·w·c, out), to (out, c·h·w).
    Flattened {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// One of queries, keys and values, which lie head by head, (heads, 3, d, …), to (heads·d, …).
    OfHeads {
        /// Heads.
        heads: usize,
        /// Which: 0, 1 or 2.
        part: usize,
    },
    /// A norm's weights, which are one less than ours.
    OneLess,
    /// A table (n, d), whose numbers are ours over the root of d.
    OverRoot,
}

impl Dialect {
    /// Our own names: torchvision's, or timm's where only timm has the network.
    pub const OWN: Dialect = Dialect::same("torchvision");

    /// timm's names, where they differ.
    pub(crate) const fn timm(rename: fn(&str) -> String) -> Dialect {
        Dialect::renamed("timm", rename)
    }

    /// An ecosystem that has our own names.
    pub(crate) const fn same(name: &'static str) -> Dialect {
        Dialect {
            name,
            recipe: None,
            batch_norm_eps: None,
            is_of: |_| true,
            is_known_for: |_| true,
            place: Place::Same,
        }
    }

    /// Names of the package `efficientnet_pytorch`, in which only the depth of a network says which block is which.
    pub(crate) const fn numbered(rename: fn(&str) -> String, is_of: fn(&str) -> bool) -> Dialect {
        Dialect::renamed("efficientnet_pytorch", rename).only_of(is_of)
    }

    /// The same, of these networks alone.
    pub(crate) const fn only_of(self, is_of: fn(&str) -> bool) -> Dialect {
        Dialect { is_of, ..self }
    }

    /// The same, where the ecosystem has weights of these networks of the family.
    pub(crate) const fn known_for(self, is_known_for: fn(&str) -> bool) -> Dialect {
        Dialect { is_known_for, ..self }
    }

    /// The same, where the ecosystem's batch norms have this eps.
    pub(crate) const fn with_batch_norm_eps(self, eps: f32) -> Dialect {
        Dialect { batch_norm_eps: Some(eps), ..self }
    }

    const fn renamed(name: &'static str, rename: fn(&str) -> String) -> Dialect {
        Dialect { place: Place::Renamed(rename), ..Dialect::same(name) }
    }

    /// Where more than names differ.
    pub(crate) const fn stored(name: &'static str, place: fn(&str) -> Stored) -> Dialect {
        Dialect { place: Place::Stored(place), ..Dialect::same(name) }
    }

    /// Keras' way with networks that are also torchvision's: the same graph, but inputs made otherwise.
    pub(crate) const fn keras(place: fn(&str) -> Stored, recipe: fn() -> Recipe) -> Dialect {
        Dialect { recipe: Some(recipe), ..Dialect::stored("Keras", place) }
    }

    /// Whether the network of that name may be kept so.
    pub(crate) fn is_of(&self, network: &str) -> bool {
        (self.is_of)(network)
    }

    /// Whether the ecosystem has weights of this network of the family.
    pub(crate) fn is_known_for(&self, network: &str) -> bool {
        self.is_of(network) && (self.is_known_for)(network)
    }

    /// Whether parameters are called as ours.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.place, Place::Same)
    }

    /// A network of the zoo as the ecosystem builds it.
    #[must_use]
    pub fn built(&self, network: Network) -> Network {
        match self.batch_norm_eps {
            Some(eps) => network.with_batch_norm_eps(eps),
            None => network,
        }
    }

    /// Where the numbers of a parameter of ours are.
    pub fn place(&self, param: &str) -> Stored {
        match self.place {
            Place::Same => Stored::As(param.to_owned()),
            Place::Renamed(rename) => Stored::As(rename(param)),
            Place::Stored(place) => place(param),
        }
    }
}

impl Stored {
    /// The tensors that are read, in their order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Stored::As(name) | Stored::Turned(name, _) | Stored::Part { name, .. } => vec![name],
            Stored::Rows(parts) => parts.iter().flat_map(Stored::names).collect(),
            Stored::Always(_) => Vec::new(),
        }
    }

    /// The same with `prefix` before every name.
    #[must_use]
    pub fn below(self, prefix: &str) -> Stored {
        match self {
            Stored::As(name) => Stored::As(format!("{prefix}{name}")),
            Stored::Turned(name, turn) => Stored::Turned(format!("{prefix}{name}"), turn),
            Stored::Part { name, parts, of } => Stored::Part { name: format!("{prefix}{name}"), parts, of },
            Stored::Rows(parts) => Stored::Rows(parts.into_iter().map(|part| part.below(prefix)).collect()),
            Stored::Always(value) => Stored::Always(value),
        }
    }
}
