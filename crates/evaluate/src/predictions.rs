//! Every row's prediction as a table.

use artifact::table::Format;
use artifact::{FeatureSet, Head};
use head::Scorer;
use polars::df;
use polars::prelude::{Column, DataFrame, IntoSeries, ListChunked, NamedFrom, Series};

use crate::scores::{SplitScores, blocks};

/// `id, split, label, predicted, confidence, [rejected,] [distance, novel,] probabilities`, splits one after the other, each in the
/// order of the index. Probabilities are a list in the order of the classes; CSV has no lists, and gets
/// a column for each class.
pub(crate) fn frame(
    scores: &[SplitScores<'_>],
    head: &Head,
    features: &FeatureSet,
    format: Format,
) -> anyhow::Result<DataFrame> {
    let classes = features.classes();
    let scorer = Scorer::of(head);
    let (mut ids, mut splits, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    let (mut predicted, mut confidence, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
    for scores in scores {
        let outcomes = &scores.outcomes;
        for (at, (&label, &class)) in outcomes.labels().iter().zip(outcomes.predicted()).enumerate() {
            ids.push(features.id(scores.rows.row(at)));
            splits.push(scores.split.name());
            labels.push(classes[label as usize].as_str());
            predicted.push(classes[class as usize].as_str());
            confidence.push(outcomes.confidences()[at]);
        }
        blocks(&scorer, &scores.rows, |_, _, block| {
            probabilities.extend_from_slice(block);
            Ok::<_, anyhow::Error>(())
        })?;
    }
    let mut frame = df!(
        "id" => ids, "split" => splits, "label" => labels, "predicted" => predicted, "confidence" => confidence.as_slice(),
    )?;
    if let Some(threshold) = head.reject_threshold() {
        let rejected: Vec<bool> = confidence.iter().map(|&confidence| confidence < threshold).collect();
        frame.with_column(Column::new("rejected".into(), rejected))?;
    }
    if head.novelty.is_some() {
        let novelties = || scores.iter().filter_map(|scores| scores.novelties.as_ref());
        let distance: Vec<f64> =
            novelties().flat_map(|own| &own.distances).map(|&distance| f64::from(distance)).collect();
        let novel: Vec<bool> =
            novelties().flat_map(|own| (0..own.distances.len()).map(|at| own.is_novel(at))).collect();
        frame.with_column(Column::new("distance".into(), distance))?;
        frame.with_column(Column::new("novel".into(), novel))?;
    }
    let rows: Vec<&[f64]> = probabilities.chunks_exact(classes.len()).collect();
    for column in columns(&rows, classes, format) {
        frame.with_column(column)?;
    }
    Ok(frame)
}

fn columns(probabilities: &[&[f64]], classes: &[String], format: Format) -> Vec<Column> {
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
