//! Every row's prediction as a table.

use std::ops::Range;

use artifact::table::Format;
use artifact::{FeatureSet, Head};
use head::Scorer;
use polars::df;
use polars::prelude::{Column, DataFrame, IntoSeries, ListChunked, NamedFrom, Series};

use crate::outputs::Table;
use crate::scores::{SplitScores, blocks};

/// Probabilities that are held at a time. As text each takes many bytes more, and a list is no column of its own.
const fn held_of(format: Format) -> usize {
    match format {
        Format::Parquet => 1 << 22,
        Format::Csv | Format::Json => 1 << 19,
    }
}

/// Rows `of` a split.
struct Piece<'a> {
    scores: &'a SplitScores<'a>,
    of: Range<usize>,
}

/// Writes `id, split, label, predicted, confidence, [rejected,] [distance, novel,] probabilities`, splits one after the other,
/// each in the order of the index. Probabilities are a list in the order of the classes; CSV has no lists, and gets a column for
/// each class. Many are written some rows at a time.
pub(crate) fn write(
    scores: &[SplitScores<'_>],
    head: &Head,
    features: &FeatureSet,
    table: &Table,
) -> anyhow::Result<()> {
    let classes = features.classes().len();
    let scorer = Scorer::of(head);
    let rows = |scores: &SplitScores<'_>| scores.outcomes.rows();
    let mut held = Vec::new();
    let most = held_of(table.format);
    if scores.iter().map(rows).sum::<usize>().saturating_mul(classes) <= most {
        for scores in scores {
            blocks(&scorer, &scores.rows, |_, _, block| {
                held.extend_from_slice(block);
                Ok::<_, anyhow::Error>(())
            })?;
        }
        let all: Vec<Piece<'_>> = scores.iter().map(|scores| Piece { scores, of: 0..rows(scores) }).collect();
        return table.write(&mut frame(&all, &held, head, features, table.format)?);
    }
    let mut stream = table.stream()?;
    for scores in scores {
        let mut first = 0;
        blocks(&scorer, &scores.rows, |at, labels, block| {
            held.extend_from_slice(block);
            let end = at + labels.len();
            if held.len() >= most || end == rows(scores) {
                let piece = Piece { scores, of: first..end };
                stream.push(&mut frame(&[piece], &held, head, features, table.format)?)?;
                held.clear();
                first = end;
            }
            anyhow::Ok(())
        })?;
    }
    stream.finish()
}

/// The table of some rows, whose `probabilities` (n, C) follow one another.
fn frame(
    pieces: &[Piece<'_>],
    probabilities: &[f64],
    head: &Head,
    features: &FeatureSet,
    format: Format,
) -> anyhow::Result<DataFrame> {
    let classes = features.classes();
    let (mut ids, mut splits, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    let (mut predicted, mut confidence) = (Vec::new(), Vec::new());
    for Piece { scores, of } in pieces {
        let outcomes = &scores.outcomes;
        for at in of.clone() {
            ids.push(features.id(scores.rows.row(at)));
            splits.push(scores.split.name());
            labels.push(classes[outcomes.labels()[at] as usize].as_str());
            predicted.push(classes[outcomes.predicted()[at] as usize].as_str());
            confidence.push(outcomes.confidences()[at]);
        }
    }
    let mut frame = df!(
        "id" => ids, "split" => splits, "label" => labels, "predicted" => predicted, "confidence" => confidence.as_slice(),
    )?;
    if let Some(threshold) = head.reject_threshold() {
        let rejected: Vec<bool> = confidence.iter().map(|&confidence| confidence < threshold).collect();
        frame.with_column(Column::new("rejected".into(), rejected))?;
    }
    if head.novelty.is_some() {
        let novelties = || {
            let each =
                pieces.iter().filter_map(|piece| Some((piece.scores.novelties.as_ref()?, piece.of.clone())));
            each.flat_map(|(own, of)| of.map(move |at| (own, at)))
        };
        let distance: Vec<f64> = novelties().map(|(own, at)| f64::from(own.distances[at])).collect();
        let novel: Vec<bool> = novelties().map(|(own, at)| own.is_novel(at)).collect();
        frame.with_column(Column::new("distance".into(), distance))?;
        frame.with_column(Column::new("novel".into(), novel))?;
    }
    let rows: Vec<&[f64]> = probabilities.chunks_exact(classes.len()).collect();
    // All at once: each by itself would be held against all before it, which of thousands takes seconds.
    Ok(frame.hstack(&columns(&rows, classes, format))?)
}

/// Of (n, classes): a list, or, where there are none, a column for each class.
pub(crate) fn columns(probabilities: &[&[f64]], classes: &[String], format: Format) -> Vec<Column> {
    match format {
        Format::Csv => (0..classes.len())
            .map(|class| {
                let values: Vec<f64> = probabilities.iter().map(|row| row[class]).collect();
                Column::new(format!("probability:{}", classes[class]).into(), values)
            })
            .collect(),
        Format::Parquet | Format::Json => {
            let lists: ListChunked = probabilities.iter().map(|row| Series::new("".into(), *row)).collect();
            vec![lists.into_series().with_name("probabilities".into()).into()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::PolarsResult;

    #[test]
    fn lists_where_there_are_lists_and_columns_where_there_are_none() -> PolarsResult<()> {
        let classes = ["a".to_owned(), "b".to_owned()];
        let rows: [&[f64]; 2] = [&[0.25, 0.75], &[1.0, 0.0]];
        let lists = columns(&rows, &classes, Format::Parquet);
        assert_eq!(lists.len(), 1);
        assert_eq!(lists[0].list()?.get_as_series(1).unwrap().f64()?.to_vec(), [Some(1.0), Some(0.0)]);
        let flat = columns(&rows, &classes, Format::Csv);
        assert_eq!(
            flat.iter().map(|column| column.name().as_str()).collect::<Vec<_>>(),
            ["probability:a", "probability:b"]
        );
        assert_eq!(flat[1].f64()?.to_vec(), [Some(0.75), Some(0.0)]);
        Ok(())
    }
}
