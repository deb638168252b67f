//! Which columns of a table are the matrix, and their numbers.

use super::safetensors::FEATURES;
use crate::brief;
use polars_arrow::{
    array::{Array, FixedSizeListArray, ListArray, PrimitiveArray},
    datatypes::{ArrowDataType, Field},
    offset::Offset,
};
use polars_utils::float16::pf16;

/// Columns that say which sample a row is, or something of it, whatever their type.
pub(super) const SAID: [&str; 4] = ["id", "path", "label", "split"];

/// Wider than any row of features.
const MOST_WIDE: usize = 1 << 24;

/// The columns of a table that are the matrix, and those that say something of its rows.
pub(super) struct Columns {
    /// Positions of the matrix's columns, ascending: one of lists, or some of numbers.
    pub(super) at: Vec<usize>,
    /// Their names.
    pub(super) names: Vec<String>,
    /// Names of columns that say something.
    pub(super) said: Vec<String>,
    /// d; 0 until the first row of lists that may be of any length.
    pub(super) dim: usize,
    rounded: Option<String>,
    /// Whether they are columns of numbers, not one of lists.
    is_wide: bool,
}

impl Columns {
    /// The matrix of a table of these columns: the column `name`; or the only one of lists, or of several `features`; or all of
    /// numbers.
    pub(super) fn of<'a>(
        fields: impl Iterator<Item = &'a Field>,
        name: Option<&str>,
    ) -> Result<Columns, String> {
        let fields: Vec<&Field> = fields.collect();
        let own = |field: &&Field| !SAID.contains(&field.name.as_str());
        let find = |name: &str| fields.iter().position(|field| field.name == name);
        let lists: Vec<usize> = (0..fields.len()).filter(|&at| list(&fields[at].dtype).is_some()).collect();
        let numbers = || (0..fields.len()).filter(|&at| own(&fields[at]) && is_number(&fields[at].dtype));
        let at = match (name, &lists[..]) {
            (Some(name), _) => {
                let at = find(name).filter(|at| lists.contains(at));
                vec![at.ok_or_else(|| {
                    format!("it has no column `{}` of lists of numbers", brief::shortened(name))
                })?]
            }
            (None, [one]) => vec![*one],
            (None, []) => numbers().collect(),
            (None, several) => {
                let names: Vec<&str> = several.iter().map(|&at| fields[at].name.as_str()).collect();
                let features = several.iter().find(|&&at| fields[at].name == FEATURES);
                vec![*features.ok_or_else(|| {
                    format!(
                        "its columns {} hold lists of numbers; name one, as in FILE:NAME",
                        brief::few(&names)
                    )
                })?]
            }
        };
        let Some(&first) = at.first() else {
            return Err("it has no column of lists of numbers, and no columns of numbers".to_owned());
        };
        let (dim, rounded) = match list(&fields[first].dtype) {
            Some((of, width)) => (width, rounded(of)),
            None => (at.len(), at.iter().find_map(|&at| rounded(&fields[at].dtype))),
        };
        if dim > MOST_WIDE {
            return Err(format!("its rows have {dim} values, {MOST_WIDE} at most are read"));
        }
        let names = at.iter().map(|&at| fields[at].name.to_string()).collect();
        let is_said = |field: &&&Field| is_text(&field.dtype) || !own(field);
        let said = fields.iter().filter(is_said).map(|field| field.name.to_string()).collect();
        let is_wide = list(&fields[first].dtype).is_none();
        Ok(Columns { at, names, said, dim, rounded, is_wide })
    }

    /// Whether each column is one number of a row.
    pub(super) fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// The type of its numbers, where f32 cannot hold all of that.
    pub(super) fn rounded(&self) -> Option<&str> {
        self.rounded.as_deref()
    }

    /// The rows of these arrays, one a column of [`Columns::at`]: (rows, d).
    pub(super) fn rows(&self, arrays: &[Box<dyn Array>]) -> Result<Vec<f32>, String> {
        let named = |(array, name): (&dyn Array, &String)| {
            values(array, self.dim)
                .map_err(|reason| format!("its column `{}` {reason}", brief::shortened(name)))
        };
        let columns =
            arrays.iter().map(|array| &**array).zip(&self.names).map(named).collect::<Result<Vec<_>, _>>()?;
        match <[Vec<f32>; 1]>::try_from(columns) {
            Ok([one]) => Ok(one),
            Err(columns) => {
                let rows = columns.first().map_or(0, Vec::len);
                let mut all = vec![0.0; rows * columns.len()];
                for (at, column) in columns.iter().enumerate() {
                    let places = all[at..].iter_mut().step_by(columns.len());
                    places.zip(column).for_each(|(place, value)| *place = *value);
                }
                Ok(all)
            }
        }
    }
}

/// The width of the first row of lists.
pub(super) fn width(array: &dyn Array) -> Option<usize> {
    fn first<O: Offset>(array: &dyn Array) -> Option<usize> {
        let lists = array.as_any().downcast_ref::<ListArray<O>>()?;
        (lists.len() > 0).then(|| lists.offsets().length_at(0))
    }
    first::<i32>(array).or_else(|| first::<i64>(array))
}

/// The numbers of a column of lists of `dim`, or of one of numbers.
fn values(array: &dyn Array, dim: usize) -> Result<Vec<f32>, String> {
    if let Some(row) = array.validity().and_then(|valid| valid.iter().position(|valid| !valid)) {
        return Err(format!("has no value in a row, the {}th of its part of the file", row + 1));
    }
    if let Some(lists) = array.as_any().downcast_ref::<FixedSizeListArray>() {
        return numbers(&**lists.values());
    }
    fn of_lists<O: Offset>(lists: &ListArray<O>, dim: usize) -> Result<Vec<f32>, String> {
        let offsets = lists.offsets();
        if let Some(row) = (0..lists.len()).find(|&row| offsets.length_at(row) != dim) {
            return Err(format!("has rows of {dim} values and of {}", offsets.length_at(row)));
        }
        let (start, length) = (offsets.first().to_usize(), lists.len() * dim);
        numbers(&*lists.values().sliced(start, length))
    }
    if let Some(lists) = array.as_any().downcast_ref::<ListArray<i32>>() {
        return of_lists(lists, dim);
    }
    if let Some(lists) = array.as_any().downcast_ref::<ListArray<i64>>() {
        return of_lists(lists, dim);
    }
    numbers(array)
}

/// Numbers to the nearest f32.
fn numbers(array: &dyn Array) -> Result<Vec<f32>, String> {
    if array.null_count() > 0 {
        return Err("has lists with missing values".to_owned());
    }
    macro_rules! first_of {
        ($($of:ty: $value:ident => $to:expr),*) => {
            $(if let Some(array) = array.as_any().downcast_ref::<PrimitiveArray<$of>>() {
                return Ok(array.values().iter().map(|&$value| $to).collect());
            })*
        };
    }
    first_of!(
        f32: value => value, f64: value => value as f32, pf16: value => value.0.to_f32(),
        i8: value => f32::from(value), i16: value => f32::from(value), i32: value => value as f32,
        i64: value => value as f32, u8: value => f32::from(value), u16: value => f32::from(value),
        u32: value => value as f32, u64: value => value as f32
    );
    Err("holds no numbers".to_owned())
}

/// What lists hold, where these are lists of numbers, and their length, where that is fixed.
fn list(dtype: &ArrowDataType) -> Option<(&ArrowDataType, usize)> {
    let (field, width) = match dtype {
        ArrowDataType::FixedSizeList(field, width) => (field, *width),
        ArrowDataType::List(field) | ArrowDataType::LargeList(field) => (field, 0),
        _ => return None,
    };
    is_number(&field.dtype).then_some((&field.dtype, width))
}

fn is_number(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as Type;
    let is_float = matches!(dtype, Type::Float16 | Type::Float32 | Type::Float64);
    let is_signed = matches!(dtype, Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64);
    is_float || is_signed || matches!(dtype, Type::UInt8 | Type::UInt16 | Type::UInt32 | Type::UInt64)
}

fn is_text(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as Type;
    match dtype {
        Type::Dictionary(_, of, _) => is_text(of),
        Type::Utf8 | Type::LargeUtf8 | Type::Utf8View => true,
        _ => false,
    }
}

fn rounded(dtype: &ArrowDataType) -> Option<String> {
    use ArrowDataType as Type;
    let name = match dtype {
        Type::Float64 => "f64",
        Type::Int32 => "i32",
        Type::Int64 => "i64",
        Type::UInt32 => "u32",
        Type::UInt64 => "u64",
        _ => return None,
    };
    Some(name.to_owned())
}
