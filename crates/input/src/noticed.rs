//! What a user had better know of a file that was decoded all the same.

/// Findings of one file; none, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noticed {
    /// The decoder warned of corrupt data where it decoded: other decoders may give other pixels.
    pub damaged: bool,
    /// 16-bit grey levels above 255 became white (see [`Grey16`](crate::image::Grey16)).
    pub clipped: bool,
    /// Signed, 32-bit or real grey levels lay outside 0 to 255, or real ones all within 0 to 1: they became black or white.
    pub flattened: bool,
    /// The text had more tokens than are read, and lost its end.
    pub truncated: bool,
}

impl Noticed {
    /// What either has.
    #[must_use]
    pub fn or(self, other: Noticed) -> Noticed {
        Noticed {
            damaged: self.damaged || other.damaged,
            clipped: self.clipped || other.clipped,
            flattened: self.flattened || other.flattened,
            truncated: self.truncated || other.truncated,
        }
    }
}
