//! Where Keras keeps parameters.

use super::{Lowering, plain};
use network::{ParamId, Stored, Turn};

/// Where Keras keeps a parameter: the layer, and how its numbers lie there.
pub(super) struct Kept {
    pub(super) layer: String,
    pub(super) weight: String,
    pub(super) turn: Option<Turn>,
}

/// Where a parameter is kept.
pub(super) enum Place {
    At(Kept),
    /// Nowhere: all of it is one number.
    Always,
    Elsewhere,
}

impl Lowering<'_> {
    pub(super) fn turn(&self, param: ParamId) -> Option<Turn> {
        match self.place(param) {
            Place::At(kept) => kept.turn,
            _ => None,
        }
    }

    pub(super) fn place(&self, param: ParamId) -> Place {
        let name = &self.network.param(param).name;
        let own = || {
            let (layer, weight) = name.rsplit_once('.').unwrap_or((name, ""));
            Place::At(Kept { layer: plain(layer), weight: weight.to_owned(), turn: None })
        };
        // The head's layers are no network's.
        let Some(dialect) = self.exported.dialect.filter(|_| !name.starts_with("head.")) else {
            return own();
        };
        let (path, turn) = match dialect.place(name) {
            Stored::As(path) => (path, None),
            Stored::Turned(path, turn) => (path, Some(turn)),
            // Whoever keeps it elsewhere may have other numbers.
            Stored::Always(value) => {
                let is_so = self.exported.bound.tensor(param).data.iter().all(|number| *number == value);
                return if is_so { Place::Always } else { own() };
            }
            Stored::Part { .. } | Stored::Rows(_) => return Place::Elsewhere,
        };
        match path.split_once('/') {
            Some((layer, weight)) => {
                Place::At(Kept { layer: layer.to_owned(), weight: weight.to_owned(), turn })
            }
            None => Place::Elsewhere,
        }
    }
}
