//! One row of figures a class.

use serde::Serialize;

use super::{Estimate, Scale};

/// Columns whose row i is class i.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClassTable {
    /// Rows of each class.
    pub support: Vec<u64>,
    /// Precision, recall, F1, AUC, AP, and whatever else there is.
    pub columns: Vec<Column>,
}

/// One figure of every class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Its name as shown.
    pub name: String,
    /// The axis that it is drawn on.
    pub scale: Scale,
    /// One for each class.
    pub estimates: Vec<Estimate>,
}
