//! The names that an ecosystem gives to the tensors of a family.

/// How an ecosystem calls the parameters of a family's networks, whose own names are torchvision's.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// The ecosystem: `timm`.
    pub name: &'static str,
    /// From our name of a parameter to its own.
    pub rename: fn(&str) -> String,
}

impl Dialect {
    /// Our own names: torchvision's, or timm's where only timm has the network.
    pub const OWN: Dialect = Dialect { name: "torchvision", rename: str::to_owned };

    /// timm's names, where they differ.
    pub(crate) const fn timm(rename: fn(&str) -> String) -> Dialect {
        Dialect { name: "timm", rename }
    }
}
