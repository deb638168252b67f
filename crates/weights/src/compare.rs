//! How files compare with networks, and what one that does not fit is good for.

use crate::{Tensors, naming::Naming};
use network::{Dialect, Network, zoo};

/// Taps of this network that the file suffices for, another network that it fits, or the tensor that was meant.
pub(crate) fn advice(tensor: &str, naming: &Naming, full: &Network, file: &dyn Tensors) -> Option<String> {
    if !naming.is_foreign() && naming.extras(full, file).next().is_none() {
        let taps = full.taps().iter().map(|tap| tap.name.as_str());
        let taps: Vec<&str> = taps.filter(|tap| suffices(naming, full, tap, file)).collect();
        if !taps.is_empty() {
            return Some(format!("it suffices for the taps {}", taps.join(", ")));
        }
    }
    let mut others = zoo::all().iter().filter(|entry| entry.name != full.name());
    let other = others.find(|entry| compare(&entry.network(), &[entry.default_tap], file).suffices);
    if let Some(entry) = other {
        return Some(format!("it looks like {}", entry.name));
    }
    match file.names().first() {
        Some(first) if naming.is_foreign() => {
            Some(format!("it holds none of them, but such as `{}`", store::brief::cut(first, 80)))
        }
        // What is there under its own name is not called otherwise.
        _ if file.shape(tensor).is_some() => None,
        _ => naming.nearest(tensor, full, file).map(|near| format!("the nearest is `{near}`")),
    }
}

/// Whether the file holds all that a tap needs, in the right shapes.
fn suffices(naming: &Naming, full: &Network, tap: &str, file: &dyn Tensors) -> bool {
    let part = full.for_taps(&[tap]);
    part.is_ok_and(|network| network.params().iter().all(|param| naming.check(param, file).is_ok()))
}

/// In whose names a file has most of a network's tensors.
pub fn dialect(full: &Network, file: &dyn Tensors) -> Dialect {
    Naming::detect(full, file).dialect
}

/// That a file holds two copies of a network, which of them is taken, and what to do to take the other. `None` where it holds one, or
/// where one says that it is averaged, which is taken.
pub fn copies(full: &Network, file: &dyn Tensors) -> Option<String> {
    let naming = Naming::detect(full, file);
    let shown = |prefix: &str| match prefix {
        "" => "the one without a prefix".to_owned(),
        prefix => format!("`{}`", store::brief::cut(prefix, 80)),
    };
    let other = naming.rival(full, file)?;
    let (taken, other) = (shown(&naming.prefix), shown(&other));
    Some(format!("of two copies {taken} is taken and {other} is not; save that alone to take it"))
}

/// How a file compares with a network.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// In whose names the file has most of the network's tensors.
    pub dialect: Dialect,
    /// How many parameters it has, in the right shapes.
    pub found: usize,
    /// Whether it has all that the taps need, and nothing that the network has no place for.
    pub suffices: bool,
}

/// Compares the names and shapes of a file's tensors with those of a network, up to taps.
pub fn compare(full: &Network, taps: &[&str], file: &dyn Tensors) -> Comparison {
    let naming = Naming::detect(full, file);
    let suffices = !naming.is_foreign()
        && taps.iter().all(|tap| suffices(&naming, full, tap, file))
        && naming.extras(full, file).next().is_none();
    let found = full.params().iter().filter(|param| naming.check(param, file).is_ok()).count();
    Comparison { dialect: naming.dialect, found, suffices }
}
