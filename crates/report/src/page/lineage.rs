//! What everything was made from.

use serde::Serialize;

/// Entries that belong together: the data set's, the network's, the fit's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineageGroup {
    /// What they are about.
    pub title: String,
    /// In the order shown.
    pub entries: Vec<LineageEntry>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineageEntry {
    /// Its name.
    pub key: String,
    /// A digest, a setting, a version.
    pub value: String,
}
