//! Suspects as a table.

use features::FeatureSet;
use polars::df;
use polars::prelude::{Column, DataFrame, PolarsResult};

use super::{LIKELY, Suspects};
use sample::targets::list;

impl Suspects {
    /// `id, split, label, suggested, quality, likely`, worst first; of labels both are lists such as `cat|dog`, and `missing` and
    /// `wrong` follow. Of numbers `id, split`, of each `target:NAME` and `expected:NAME`, `quality, likely`.
    pub(crate) fn frame(&self, features: &FeatureSet, names: &[String]) -> PolarsResult<DataFrame> {
        let each = self.each();
        let mut frame = df!(
            "id" => each.iter().map(|(row, _)| features.id(*row as usize)).collect::<Vec<_>>(),
            "split" => each.iter().map(|(row, _)| features.split(*row as usize).name()).collect::<Vec<_>>(),
        )?;
        let class = |class: u32| names[class as usize].clone();
        let text = |name: &str, values: Vec<String>| Column::new(name.into(), values);
        let (before, after) = match self {
            Suspects::Classes(found) => {
                let label = found.iter().map(|of| class(of.label)).collect();
                let suggested = found.iter().map(|of| class(of.suggested)).collect();
                (vec![text("label", label), text("suggested", suggested)], Vec::new())
            }
            Suspects::Labels(found) => {
                let of = |values: &[bool]| list(names, values.iter().copied());
                let before = vec![
                    text("label", found.iter().map(|one| of(&one.truth)).collect()),
                    text("suggested", found.iter().map(|one| of(&one.suggested)).collect()),
                ];
                let after = vec![
                    text("missing", found.iter().map(|one| list(names, one.missing())).collect()),
                    text("wrong", found.iter().map(|one| list(names, one.wrong())).collect()),
                ];
                (before, after)
            }
            Suspects::Numbers(found) => {
                let column = |what: &str, at: usize, values: Vec<f64>| {
                    Column::new(format!("{what}:{}", names[at]).into(), values)
                };
                let pair = |at: usize| {
                    [
                        column("target", at, found.iter().map(|of| of.truth[at]).collect()),
                        column("expected", at, found.iter().map(|of| of.expected[at]).collect()),
                    ]
                };
                ((0..names.len()).flat_map(pair).collect(), Vec::new())
            }
        };
        let quality: Vec<f64> = each.iter().map(|(_, quality)| *quality).collect();
        let likely: Vec<bool> = quality.iter().map(|quality| *quality < LIKELY).collect();
        let judged = vec![Column::new("quality".into(), quality), Column::new("likely".into(), likely)];
        frame.hstack_mut(&[before, judged, after].concat())?;
        Ok(frame)
    }
}
