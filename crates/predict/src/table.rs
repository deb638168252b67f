//! Rows as a frame of a table.

use crate::row::{Outputs, Row};
use model::{Answer, Verdict};
use polars::prelude::{
    Column, DataFrame, DataType, Float64Type, ListBuilderTrait, ListPrimitiveChunkedBuilder, NamedFrom,
    PolarsError, Series,
};
use sample::targets::{self, Task};
use store::table::TableFormat;

/// `id, predicted, confidence, [rejected,] [distance, novel,] [top1, top1_probability …,] [probabilities,] error`; of labels
/// without confidence, with `accepted` for `rejected`; of numbers `predicted:NAME` of each. CSV has no lists, and gets a column
/// for each probability. Of a row with an error all else is null.
pub(crate) fn frame(rows: &[Row], outputs: &Outputs, format: TableFormat) -> Result<DataFrame, PolarsError> {
    let said: Vec<Option<&Verdict>> = rows.iter().map(|row| row.said.as_ref().ok()).collect();
    let mut columns = vec![column("id", rows.iter().map(|row| Some(row.id.as_str())).collect::<Vec<_>>())];
    columns.extend(answers(&said, outputs));
    if outputs.knows_novelty {
        let novelty = |verdict: &Option<&Verdict>| verdict.and_then(|verdict| verdict.novelty);
        let each: Vec<_> = said.iter().map(novelty).collect();
        columns.push(floats("distance", each.iter().map(|own| own.map(|(distance, _)| f64::from(distance)))));
        columns.push(column("novel", each.iter().map(|own| own.map(|(_, novel)| novel)).collect::<Vec<_>>()));
    }
    columns.extend(top(&said, outputs));
    if outputs.wanted.probabilities {
        columns.extend(probabilities(&said, outputs, format));
    }
    let reasons: Vec<Option<&str>> =
        rows.iter().map(|row| row.said.as_ref().err().map(String::as_str)).collect();
    columns.push(column("error", reasons));
    DataFrame::new(rows.len(), columns)
}

/// What is predicted, and whether that is sure.
fn answers(said: &[Option<&Verdict>], outputs: &Outputs) -> Vec<Column> {
    let names = &outputs.names;
    let each = said.iter().map(|verdict| verdict.map(|verdict| &verdict.answer));
    match outputs.task {
        Task::Class => {
            let class = |answer: Option<&Answer>| match answer {
                Some(Answer::Class { predicted, confidence, rejected, .. }) => {
                    (Some(names[*predicted].as_str()), Some(*confidence), *rejected)
                }
                _ => (None, None, None),
            };
            let each: Vec<_> = each.map(class).collect();
            let mut columns = vec![
                column("predicted", each.iter().map(|own| own.0).collect::<Vec<_>>()),
                floats("confidence", each.iter().map(|own| own.1)),
            ];
            if outputs.rejects {
                columns.push(column("rejected", each.iter().map(|own| own.2).collect::<Vec<_>>()));
            }
            columns
        }
        Task::Labels => {
            let list = |bears: &[bool]| targets::list(names, bears.iter().copied());
            let labels = |answer: Option<&Answer>| match answer {
                Some(Answer::Labels { predicted, accepted, .. }) => {
                    (Some(list(predicted)), accepted.as_ref().map(|accepted| list(accepted)))
                }
                _ => (None, None),
            };
            let (predicted, accepted): (Vec<_>, Vec<_>) = each.map(labels).unzip();
            let accepted = outputs.rejects.then(|| column("accepted", accepted));
            [column("predicted", predicted)].into_iter().chain(accepted).collect()
        }
        Task::Numbers => {
            let each: Vec<_> = each.collect();
            let number = |at: usize| {
                let value = move |answer: &Option<&Answer>| match answer {
                    Some(Answer::Numbers(values)) => Some(values[at]),
                    _ => None,
                };
                floats(&format!("predicted:{}", names[at]), each.iter().map(value))
            };
            (0..names.len()).map(number).collect()
        }
    }
}

/// The most probable outputs.
fn top(said: &[Option<&Verdict>], outputs: &Outputs) -> Vec<Column> {
    if outputs.wanted.top == 0 {
        return Vec::new();
    }
    let ranked: Vec<_> = said.iter().map(|verdict| verdict.map(|verdict| verdict.answer.ranked())).collect();
    let place = |at: usize| {
        let own = || ranked.iter().map(move |ranked| ranked.as_ref().map(|ranked| ranked[at]));
        let name = own().map(|own| own.map(|(output, _)| outputs.names[output].as_str()));
        let (n, p) = (at + 1, own().map(|own| own.map(|(_, p)| p)));
        [column(&format!("top{n}"), name.collect::<Vec<_>>()), floats(&format!("top{n}_probability"), p)]
    };
    (0..outputs.wanted.top).flat_map(place).collect()
}

/// A list, or, where there are none, a column for each output.
fn probabilities(said: &[Option<&Verdict>], outputs: &Outputs, format: TableFormat) -> Vec<Column> {
    let each = said.iter().map(|verdict| match &(*verdict)?.answer {
        Answer::Class { probabilities, .. } | Answer::Labels { probabilities, .. } => {
            Some(&probabilities[..])
        }
        Answer::Numbers(_) => None,
    });
    let each: Vec<Option<&[f64]>> = each.collect();
    if format == TableFormat::Csv {
        let own = |(at, name): (usize, &String)| {
            floats(&format!("probability:{name}"), each.iter().map(|row| row.map(|row| row[at])))
        };
        return outputs.names.iter().enumerate().map(own).collect();
    }
    // Of one type, also where all rows are empty.
    let mut lists = ListPrimitiveChunkedBuilder::<Float64Type>::new(
        "probabilities".into(),
        each.len(),
        each.len() * outputs.names.len(),
        DataType::Float64,
    );
    for row in each {
        match row {
            Some(row) => lists.append_slice(row),
            None => lists.append_null(),
        }
    }
    vec![Series::from(lists.finish()).into()]
}

fn floats(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    column(name, values.collect::<Vec<_>>())
}

fn column<T, P: ?Sized>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, P>,
    T: AsRef<P>,
{
    Series::new(name.into(), values).into()
}
