//! A tensor of a safetensors file, and what the file says of its rows.
//!
//! Where there is a tensor `rows` of bytes, it is JSON: an object of columns, each a list with a text for every row.

use super::{mapped::Mapped, number::Number};
use crate::{MappedFile, brief, check_header, table::Table};
use ::safetensors::{Dtype, SafeTensors};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::{collections::BTreeSet, fmt, path::Path};

/// The tensor that says things of rows.
pub(super) const ROWS: &str = "rows";
/// What ours is called.
pub(super) const FEATURES: &str = "features";
/// Longer than what is said of ten million rows.
const MOST_ROWS: usize = 1 << 30;

/// The matrix called `name`, or the only one there is, or `features`.
pub(super) fn open(
    path: &Path,
    map: MappedFile,
    name: Option<&str>,
) -> Result<(Mapped, Option<Table>), String> {
    check_header(&map)?;
    let tensors = SafeTensors::deserialize(&map).map_err(|error| brief::told(&error))?;
    let is_matrix = |shape: &[usize]| shape.len() == 2;
    let matrices: Vec<&str> =
        tensors.iter().filter(|(_, view)| is_matrix(view.shape())).map(|(name, _)| name).collect();
    let name = match (name, &matrices[..]) {
        (Some(name), _) => name,
        (None, [one]) => one,
        (None, several) if several.contains(&FEATURES) => FEATURES,
        (None, []) => return Err("it has no tensor of two sides".to_owned()),
        (None, several) => {
            let mut names = several.to_vec();
            names.sort_unstable();
            let names = brief::few(&names);
            return Err(format!("it has the matrices {names}; name one, as in FILE.safetensors:NAME"));
        }
    };
    let shown = brief::shortened(name);
    let view = tensors
        .tensor(name)
        .map_err(|_| format!("it has no tensor `{shown}`, only {}", brief::few(&tensors.names())))?;
    let [rows, dim] = *view.shape() else {
        return Err(format!("tensor `{shown}` has the shape {:?}; expected rows and columns", view.shape()));
    };
    let number = match view.dtype() {
        Dtype::F16 => Number::F16,
        Dtype::BF16 => Number::Bf16,
        Dtype::F32 => Number::F32,
        Dtype::F64 => Number::F64,
        Dtype::BOOL => Number::Bool,
        Dtype::I8 => Number::I8,
        Dtype::I16 => Number::I16,
        Dtype::I32 => Number::I32,
        Dtype::I64 => Number::I64,
        Dtype::U8 => Number::U8,
        Dtype::U16 => Number::U16,
        Dtype::U32 => Number::U32,
        Dtype::U64 => Number::U64,
        other => return Err(format!("tensor `{shown}` is {other:?}, of which nothing is read")),
    };
    let table = match tensors.tensor(ROWS) {
        Ok(said) if said.dtype() == Dtype::U8 && said.shape().len() == 1 => {
            Some(table(path, said.data(), rows)?)
        }
        _ => None,
    };
    let (header, metadata) = SafeTensors::read_metadata(&map).map_err(|error| brief::told(&error))?;
    let (from, to) = metadata.info(name).map_or((0, 0), |info| info.data_offsets);
    let start = 8 + header;
    Ok((Mapped::new(map, start + from..start + to, number, (rows, dim))?, table))
}

fn table(path: &Path, json: &[u8], rows: usize) -> Result<Table, String> {
    if json.len() > MOST_ROWS {
        return Err(format!("its tensor `{ROWS}` takes {} bytes, {MOST_ROWS} at most are read", json.len()));
    }
    let Said(columns) = serde_json::from_slice(json)
        .map_err(|error| format!("its tensor `{ROWS}` is no JSON of columns: {}", brief::told(&error)))?;
    let mut seen = BTreeSet::new();
    for (name, texts) in &columns {
        let shown = brief::shortened(name);
        if !seen.insert(name) {
            return Err(format!("its tensor `{ROWS}` has the column `{shown}` twice"));
        }
        if texts.len() != rows {
            return Err(format!(
                "its tensor `{ROWS}` says {} texts of `{shown}` for {rows} rows",
                texts.len()
            ));
        }
    }
    Ok(Table::of_texts(path, rows, columns))
}

/// Columns in their order.
struct Said(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Said, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Said;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object of lists of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Said, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = map.next_entry()? {
                    columns.push(column);
                }
                Ok(Said(columns))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
