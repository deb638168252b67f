//! Samples whose rows somebody had already: which row is which sample, and what tables say of each.

use crate::{Column, DatasetError, LABEL, Split};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};
use store::{
    ids::{Named, Root, is_id},
    table::{Table, Texts},
};

/// Columns that name samples: the first that is there does.
const NAMING: [&str; 2] = ["path", "id"];

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenSample {
    /// Its id: the table's, or `row-0000001` of the first row, where no table names any.
    pub id: String,
    /// `None` where no table says so: [`Ratios`](crate::Ratios) then draw it by the row.
    pub split: Option<Split>,
    /// Which row it is, from 0.
    pub row: usize,
}

/// All rows, and what is said of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenRows {
    /// What is said of each sample: every column but `id`, `path` and `split`, those of the matrix's own file first.
    pub columns: Vec<Column>,
    /// At least one, sorted by the bytes of their ids.
    pub samples: Vec<GivenSample>,
    /// Columns of the labels that hold neither text nor numbers.
    pub left_out: Vec<String>,
    /// Rows of the labels that name no row of the matrix.
    pub unmatched: usize,
}

/// A table that says something of rows.
pub struct Said<'a> {
    /// Where it was read.
    pub path: &'a Path,
    /// What it says.
    pub table: &'a Table,
}

impl GivenRows {
    /// What is said of `rows` rows of the matrix at `matrix`: by `own`, which stands in its file, and by `labels`.
    ///
    /// Where both name samples, rows are matched by those names. Otherwise labels are in the order of the rows. What labels say
    /// goes before what the matrix's file says.
    ///
    /// # Errors
    /// Where rows and labels do not match, a name is no id or there twice, or a label or split is missing or unknown.
    pub fn new(
        matrix: &Path,
        rows: usize,
        own: Option<&Said<'_>>,
        labels: Option<&Said<'_>>,
    ) -> Result<GivenRows, DatasetError> {
        let own_ids = own.map(Said::ids).transpose()?.flatten();
        let label_ids = labels.map(Said::ids).transpose()?.flatten();
        // For each row of the matrix, which of the labels' it is.
        let mut at: Vec<usize> = (0..rows).collect();
        let mut unmatched = 0;
        match (&own_ids, &label_ids, labels) {
            (Some(own), Some(ids), Some(labels)) => {
                let place: HashMap<&str, usize> = ids.iter().map(String::as_str).zip(0..).collect();
                for (at, id) in at.iter_mut().zip(own) {
                    let missing = || DatasetError::Unlabelled {
                        labels: labels.path.to_owned(),
                        matrix: matrix.to_owned(),
                        id: id.clone(),
                    };
                    *at = *place.get(id.as_str()).ok_or_else(missing)?;
                }
                unmatched = ids.len() - own.len();
            }
            (_, _, Some(labels)) if labels.table.height() != rows => {
                return Err(DatasetError::RowCount {
                    labels: labels.path.to_owned(),
                    got: labels.table.height(),
                    expected: rows,
                });
            }
            _ => {}
        }
        let digits = rows.to_string().len().max(7);
        let numbered = || (1..=rows).map(|row| format!("row-{row:0digits$}")).collect();
        let ids: Vec<String> = own_ids.or(label_ids).unwrap_or_else(numbered);
        let splits = match (labels.map(|said| said.splits(&at)), own.map(|said| said.splits(&all(rows)))) {
            (Some(labels), own) => labels?.or(own.transpose()?.flatten()),
            (None, own) => own.transpose()?.flatten(),
        };
        let mut order = all(rows);
        order.sort_unstable_by(|&a, &b| ids[a].cmp(&ids[b]));
        let mut columns: Vec<Column> = Vec::new();
        let all = all(rows);
        for (said, places) in own.map(|own| (own, &all)).into_iter().chain(labels.map(|labels| (labels, &at)))
        {
            for column in said.columns(&order, places)? {
                match columns.iter_mut().find(|earlier| earlier.name() == column.name()) {
                    Some(earlier) => *earlier = column,
                    None => columns.push(column),
                }
            }
        }
        let sample = |row: usize| GivenSample {
            id: ids[row].clone(),
            split: splits.as_ref().map(|splits| splits[row]),
            row,
        };
        let samples = order.iter().map(|&row| sample(row)).collect();
        let left_out = labels.map_or(Vec::new(), |labels| labels.table.left_out().to_vec());
        Ok(GivenRows { columns, samples, left_out, unmatched })
    }

    /// The class of each sample, where that is said.
    pub fn labels(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.name() == LABEL)
    }
}

/// The table of labels at `path`: a manifest's formats, or a vector of NumPy, which is its column `label`.
///
/// # Errors
/// Where it cannot be read.
pub fn read_labels(path: &Path) -> Result<Table, DatasetError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
        let texts = store::matrix::npy_texts(path)?;
        return Ok(Table::of_texts(path, texts.len(), vec![(LABEL.to_owned(), texts)]));
    }
    Ok(Table::open_all(path, &["path", "id", LABEL, "split"])?)
}

fn all(rows: usize) -> Vec<usize> {
    (0..rows).collect()
}

impl Said<'_> {
    /// The samples that it names, each once; nothing where it names none.
    fn ids(&self) -> Result<Option<Vec<String>>, DatasetError> {
        let naming = NAMING.iter().find_map(|&name| Some((name, self.table.texts(name)?)));
        let Some((name, texts)) = naming else { return Ok(None) };
        let root = Root::of_manifest(self.path);
        let mut first: HashMap<String, usize> = HashMap::with_capacity(self.table.height());
        for row in 0..self.table.height() {
            let text = self.value(texts, name, row)?;
            let id = if name == "id" && is_id(text) { Named::Id(text.to_owned()) } else { root.name(text) };
            let Named::Id(id) = id else {
                let (manifest, row) = (self.path.to_owned(), self.table.position(row));
                return Err(DatasetError::NoId { manifest, row, column: name, value: text.to_owned() });
            };
            if let Some(first) = first.insert(id.clone(), row) {
                let (row, first) = (self.table.position(row), self.table.position(first));
                return Err(DatasetError::DuplicatePath {
                    manifest: self.path.to_owned(),
                    row,
                    first,
                    value: id,
                });
            }
        }
        let mut ids = vec![String::new(); first.len()];
        first.into_iter().for_each(|(id, row)| ids[row] = id);
        Ok(Some(ids))
    }

    /// The split of each of these rows.
    fn splits(&self, rows: &[usize]) -> Result<Option<Vec<Split>>, DatasetError> {
        let Some(texts) = self.table.texts("split") else { return Ok(None) };
        let split = |&row: &usize| {
            let value = self.value(texts, "split", row)?;
            Split::parse(value).ok_or_else(|| DatasetError::UnknownSplit {
                manifest: self.path.to_owned(),
                row: self.table.position(row),
                value: value.to_owned(),
            })
        };
        rows.iter().map(split).collect::<Result<_, _>>().map(Some)
    }

    /// Its other columns, of samples that are the matrix's rows `order`, of which `places` says where they stand in the table.
    fn columns(&self, order: &[usize], places: &[usize]) -> Result<Vec<Column>, DatasetError> {
        let said: BTreeSet<&str> = NAMING.into_iter().chain(["split"]).collect();
        let mut columns = Vec::new();
        for (name, texts) in self.table.columns().filter(|(name, _)| !said.contains(name)) {
            if name == LABEL {
                order.iter().try_for_each(|&row| self.value(texts, LABEL, places[row]).map(drop))?;
            }
            let text = |&row: &usize| texts.get(places[row]).unwrap_or_default();
            columns.push(Column::new(name, order.iter().map(text)));
        }
        Ok(columns)
    }

    fn value<'t>(&self, texts: &'t Texts, column: &'static str, row: usize) -> Result<&'t str, DatasetError> {
        texts.get(row).ok_or_else(|| DatasetError::EmptyValue {
            manifest: self.path.to_owned(),
            row: self.table.position(row),
            column,
        })
    }
}
