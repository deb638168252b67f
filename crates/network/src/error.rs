//! What can be wrong with a network, a tap or an input size.

/// A network that cannot be used as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No tap or node of that name.
    #[error("{network} has no tap `{tap}`{}; its taps are {}, and any module such as `{example}`", suggest(.suggestion.as_deref()), .taps.join(", "))]
    UnknownTap {
        /// The network's name.
        network: String,
        /// What was asked for.
        tap: String,
        /// The named taps.
        taps: Vec<String>,
        /// The nearest name, where one is near.
        suggestion: Option<String>,
        /// The name of some node.
        example: String,
    },
    /// A way to pool what has no places.
    #[error(
        "`{tap}` of {network} is a vector already, which is not pooled; give its name alone, or a map such as layer3"
    )]
    VectorTap {
        /// The network's name.
        network: String,
        /// The node.
        tap: String,
    },
    /// All tokens of texts, which have as many as they have.
    #[error(
        "`{tap}` of {network} has a row for each token, and texts have different numbers of them; pool them, as `{tap}:mean`"
    )]
    RaggedTap {
        /// The network's name.
        network: String,
        /// The node.
        tap: String,
    },
    /// An empty list of taps.
    #[error("no tap was asked of {network}; give at least one")]
    NoTap {
        /// The network's name.
        network: String,
    },
    /// A map would shrink to nothing.
    #[error("an input of {width}×{height} pixels is too small for {network}: nothing would be left at `{node}`{}", least(*.minimum))]
    InputTooSmall {
        /// The network's name.
        network: String,
        /// Height of the input, in pixels.
        height: usize,
        /// Width of the input, in pixels.
        width: usize,
        /// The node that has nothing to read.
        node: String,
        /// The smallest square that works.
        minimum: Option<usize>,
    },
    /// More numbers than memory can be addressed for.
    #[error(
        "an input of {width}×{height} pixels is too large for {network}: the output of `{node}` cannot be held in memory"
    )]
    InputTooLarge {
        /// The network's name.
        network: String,
        /// Height of the input, in pixels.
        height: usize,
        /// Width of the input, in pixels.
        width: usize,
        /// The node whose output is too large.
        node: String,
    },
    /// A map that attention's windows do not divide.
    #[error("an input of {width}×{height} pixels leaves `{node}` of {network} a map that windows of {window}×{window} do not divide{}", fitting_side(*.nearest))]
    InputUneven {
        /// The network's name.
        network: String,
        /// Height of the input, in pixels.
        height: usize,
        /// Width of the input, in pixels.
        width: usize,
        /// The node.
        node: String,
        /// Side of its windows, in places.
        window: usize,
        /// The square nearest to the input that works.
        nearest: Option<usize>,
    },
    /// A node reads something of another shape than it needs.
    #[error("`{node}` of {network} needs {expected}, got {got}")]
    Mismatch {
        /// The network's name.
        network: String,
        /// The node.
        node: String,
        /// What it needs.
        expected: String,
        /// What it would get.
        got: String,
    },
    /// A graph that no builder of ours made.
    #[error("{network} is not a well-formed network: `{node}` {reason}")]
    Malformed {
        /// The network's name.
        network: String,
        /// The node, or the parameter.
        node: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

fn suggest(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn least(side: Option<usize>) -> String {
    side.map_or_else(String::new, |side| format!("; it needs at least {side}×{side}"))
}

fn fitting_side(side: Option<usize>) -> String {
    side.map_or_else(String::new, |side| format!("; the nearest size that fits is {side}×{side}"))
}

/// The name nearest to `asked`, where it is near enough to be a slip of the fingers, or begins like it.
pub fn nearest<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let asked = asked.to_lowercase();
    let begins = |name: &str| asked.len() >= 3 && (name.starts_with(&asked) || asked.starts_with(name));
    names
        .map(|name| (strsim::damerau_levenshtein(&asked, &name.to_lowercase()), name))
        .filter(|(slips, name)| *slips * 3 <= asked.len() || begins(&name.to_lowercase()))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}
