//! Every row's prediction as a table.

use std::ops::Range;

use features::{FeatureSet, Selection};
use head::{Head, Scorer};
use polars::df;
use polars::prelude::{Column, DataFrame, IntoSeries, ListChunked, NamedFrom, Series};
use sample::targets::{Task, list};
use store::table::TableFormat;

use crate::{
    measured::TaskOutcomes,
    outputs::Table,
    scores::{RowPlace, SplitScores, probabilities},
};

/// Probabilities that are held at a time. As text each takes many bytes more, and a list is no column of its own.
const fn held_of(format: TableFormat) -> usize {
    match format {
        TableFormat::Parquet => 1 << 22,
        TableFormat::Csv | TableFormat::Json => 1 << 19,
    }
}

/// Rows `of` a split, in the order of the index.
struct Piece<'a> {
    scores: &'a SplitScores<'a>,
    /// Those of the whole split.
    places: &'a [RowPlace],
    of: Range<usize>,
}

impl Piece<'_> {
    fn places(&self) -> &[RowPlace] {
        &self.places[self.of.clone()]
    }
}

/// Writes every row, splits one after the other, each in the order of the index. Rows of classes that the head does not know are
/// among them.
///
/// Of classes `id, split, label, predicted, confidence, [rejected,] [distance, novel,] probabilities`; of labels the same
/// without confidence, label and predicted as `cat|dog`; of numbers `id, split`, of each output `target:NAME` and
/// `predicted:NAME`, `[distance, novel]`. Probabilities are a list in the order of the outputs; CSV has no lists, and gets a column
/// for each. Many are written some rows at a time.
pub(crate) fn write(
    scores: &[SplitScores<'_>],
    head: &Head,
    features: &FeatureSet,
    table: &Table,
) -> anyhow::Result<()> {
    let classes = head.classes.len();
    let scorer = Scorer::of(head)?;
    let mut held = Vec::new();
    let most = held_of(table.format);
    let places: Vec<Vec<RowPlace>> = scores.iter().map(SplitScores::places).collect();
    let is_large = places.iter().map(Vec::len).sum::<usize>().saturating_mul(classes) > most;
    if head.task() != Task::Class || !is_large {
        for (scores, places) in scores.iter().zip(&places) {
            match &scores.measured {
                TaskOutcomes::Classes(_) => {
                    probabilities(&scorer, &every(scores, places, features), |_, block| {
                        held.extend_from_slice(block);
                        anyhow::Ok(())
                    })?;
                }
                TaskOutcomes::Labels(outcomes) => held.extend_from_slice(outcomes.probabilities()),
                TaskOutcomes::Numbers(_) => {}
            }
        }
        let all: Vec<Piece<'_>> = scores
            .iter()
            .zip(&places)
            .map(|(scores, places)| Piece { scores, places, of: 0..places.len() })
            .collect();
        return table.write(&mut frame(&all, &held, head, features, table.format)?);
    }
    let mut stream = table.stream()?;
    for (scores, places) in scores.iter().zip(&places) {
        let mut first = 0;
        probabilities(&scorer, &every(scores, places, features), |at, block| {
            held.extend_from_slice(block);
            let end = at + block.len() / classes;
            if held.len() >= most || end == places.len() {
                let piece = Piece { scores, places, of: first..end };
                stream.push(&mut frame(&[piece], &held, head, features, table.format)?)?;
                held.clear();
                first = end;
            }
            anyhow::Ok(())
        })?;
    }
    Ok(stream.finish()?)
}

/// The table of some rows, whose `probabilities` (n, outputs) follow one another.
fn frame<'a>(
    pieces: &[Piece<'a>],
    probabilities: &[f64],
    head: &Head,
    features: &FeatureSet,
    format: TableFormat,
) -> anyhow::Result<DataFrame> {
    let names = &head.classes;
    let (mut ids, mut splits) = (Vec::new(), Vec::new());
    let (mut labels, mut predicted, mut confidence) = (Vec::new(), Vec::new(), Vec::new());
    let mut accepted = Vec::new();
    let mut numbers = vec![(Vec::new(), Vec::new()); names.len()];
    for piece @ Piece { scores, of, .. } in pieces {
        ids.extend(piece.places().iter().map(|&place| features.id(scores.row(place))));
        splits.extend(of.clone().map(|_| scores.split.name()));
        match &scores.measured {
            TaskOutcomes::Classes(outcomes) => {
                let (rows, others) = (outcomes.each(), &scores.unknown);
                let class = |class: u32| names[class as usize].clone();
                for place in piece.places() {
                    let (label, said, sure) = match *place {
                        RowPlace::Known(at) => {
                            (class(rows.labels()[at]), rows.predicted()[at], rows.confidences()[at])
                        }
                        RowPlace::Unknown(at) => {
                            (others.labels[at].clone(), others.predicted[at], others.confidences[at])
                        }
                    };
                    labels.push(label);
                    predicted.push(class(said));
                    confidence.push(sure);
                }
            }
            // Their rows are all known, so that they are where they are told.
            TaskOutcomes::Labels(outcomes) => {
                let own = of.start * names.len()..of.end * names.len();
                let truth = outcomes.truth()[own.clone()].chunks_exact(names.len());
                labels.extend(truth.map(|row| list(names, row.iter().copied())));
                predicted.extend(of.clone().map(|at| list(names, outcomes.predicted(at))));
                let sure = outcomes.at_reject();
                accepted
                    .extend(sure.iter().flat_map(|own| of.clone().map(|at| list(names, own.predicted(at)))));
            }
            TaskOutcomes::Numbers(outcomes) => {
                for (output, all) in numbers.iter_mut().enumerate() {
                    all.extend(outcomes.column(output).skip(of.start).take(of.len()));
                }
            }
        }
    }
    let mut frame = df!("id" => ids, "split" => splits)?;
    let mut add = |name: &str, column: Column| frame.with_column(column.with_name(name.into())).map(|_| ());
    if !labels.is_empty() {
        add("label", Column::new("".into(), labels))?;
        add("predicted", Column::new("".into(), predicted))?;
    }
    if !accepted.is_empty() {
        add("accepted", Column::new("".into(), accepted))?;
    }
    if !confidence.is_empty() {
        add("confidence", Column::new("".into(), confidence.as_slice()))?;
        if let Some(threshold) = head.reject_threshold() {
            let rejected: Vec<bool> = confidence.iter().map(|&confidence| confidence < threshold).collect();
            add("rejected", Column::new("".into(), rejected))?;
        }
    }
    let mut novelty = Vec::new();
    if head.novelty.is_some() {
        let novelties = || {
            let of = |scores: &'a SplitScores<'a>, place: RowPlace| match place {
                RowPlace::Known(at) => Some((scores.novelties.as_ref()?, at)),
                RowPlace::Unknown(at) => Some((scores.unknown.novelties.as_ref()?, at)),
            };
            pieces.iter().flat_map(move |piece| {
                piece.places().iter().filter_map(move |&place| of(piece.scores, place))
            })
        };
        let distance: Vec<f64> = novelties().map(|(own, at)| f64::from(own.distances[at])).collect();
        let novel: Vec<bool> = novelties().map(|(own, at)| own.is_novel(at)).collect();
        novelty.extend([Column::new("distance".into(), distance), Column::new("novel".into(), novel)]);
    }
    // All at once: each by itself would be held against all before it, which of thousands takes seconds.
    if head.task() == Task::Numbers {
        let each = names.iter().zip(numbers).flat_map(|(name, (truth, said))| {
            [("target", truth), ("predicted", said)]
                .map(|(what, values)| Column::new(format!("{what}:{name}").into(), values))
        });
        return Ok(frame.hstack(&each.chain(novelty).collect::<Vec<_>>())?);
    }
    let rows: Vec<&[f64]> = probabilities.chunks_exact(names.len()).collect();
    novelty.extend(columns(&rows, names, format));
    Ok(frame.hstack(&novelty)?)
}

/// All rows at these places.
fn every<'a>(scores: &SplitScores<'_>, places: &[RowPlace], features: &'a FeatureSet) -> Selection<'a> {
    let mut is_there = vec![false; features.len()];
    places.iter().for_each(|&place| is_there[scores.row(place)] = true);
    Selection::of(features, |row| is_there[row])
}

/// Of (n, classes): a list, or, where there are none, a column for each class.
fn columns(probabilities: &[&[f64]], classes: &[String], format: TableFormat) -> Vec<Column> {
    match format {
        TableFormat::Csv => (0..classes.len())
            .map(|class| {
                let values: Vec<f64> = probabilities.iter().map(|row| row[class]).collect();
                Column::new(format!("probability:{}", classes[class]).into(), values)
            })
            .collect(),
        TableFormat::Parquet | TableFormat::Json => {
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
        let lists = columns(&rows, &classes, TableFormat::Parquet);
        assert_eq!(lists.len(), 1);
        assert_eq!(lists[0].list()?.get_as_series(1).unwrap().f64()?.to_vec(), [Some(1.0), Some(0.0)]);
        let flat = columns(&rows, &classes, TableFormat::Csv);
        assert_eq!(
            flat.iter().map(|column| column.name().as_str()).collect::<Vec<_>>(),
            ["probability:a", "probability:b"]
        );
        assert_eq!(flat[1].f64()?.to_vec(), [Some(0.75), Some(0.0)]);
        Ok(())
    }
}
