//! The table of outputs, and that of slices.

use metrics::{About, ShownIn};
use report::{ClassTable, Column, Slice, Slices};

use super::{Material, estimate, scale};
use crate::table::{Row, Scope, of_scope, overall};

/// One row a class, a label, or a number.
pub(super) fn table(material: &Material<'_>) -> ClassTable {
    let (scores, names) = (material.scores, &material.head.classes);
    // The table's rows are in the order of outputs, and have the same metrics each.
    let own: Vec<(&'static About, &Row)> = of_scope(material.rows, scores.split, &Scope::Class)
        .filter_map(|row| Some((row.about?, row)))
        .collect();
    let width = own.len() / names.len().max(1);
    let column = |at: usize| own.iter().skip(at).step_by(width.max(1)).map(|(_, row)| *row);
    let support = (0..width).find(|&at| own[at].0.name == "support");
    let shown = (0..width).filter(|&at| own[at].0.is_shown(ShownIn::Page));
    ClassTable {
        support: match support {
            Some(at) => column(at).map(|row| row.n).collect(),
            None => vec![scores.len() as u64; names.len()],
        },
        columns: shown
            .map(|at| Column {
                name: own[at].0.title.to_owned(),
                scale: scale(own[at].0.scale),
                estimates: column(at).map(estimate).collect(),
            })
            .collect(),
    }
}

/// Every slice with the few metrics that there is room for.
pub(super) fn slices(material: &Material<'_>) -> Option<Slices> {
    let (rows, split) = (material.rows, material.scores.split);
    let few = overall(rows, split, ShownIn::Few);
    let mut slices: Vec<Slice> = Vec::new();
    for row in rows.iter().filter(|row| row.split == split) {
        let Scope::Slice { column, value } = &row.scope else { continue };
        let is_last = |slice: &Slice| slice.attribute == *column && slice.value == *value;
        if !slices.last().is_some_and(is_last) {
            let (attribute, value) = (column.clone(), value.clone());
            slices.push(Slice { attribute, value, rows: row.n, estimates: Vec::new() });
        }
    }
    for slice in &mut slices {
        let scope = Scope::Slice { column: slice.attribute.clone(), value: slice.value.clone() };
        let own = |about: &About| of_scope(rows, split, &scope).find(|row| row.metric == about.name);
        slice.estimates = few.iter().filter_map(|(about, _)| own(about)).map(estimate).collect();
    }
    (!slices.is_empty()).then(|| Slices {
        metrics: few.iter().map(|(about, _)| about.title.to_owned()).collect(),
        scales: few.iter().map(|(about, _)| scale(about.scale)).collect(),
        overall: few.iter().map(|(_, row)| estimate(row)).collect(),
        slices,
    })
}
