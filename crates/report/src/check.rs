//! Whether a page's columns fit each other.

use crate::page::{Curve, Map, Page, Samples};

/// Why a page cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// A column is longer or shorter than those beside it.
    #[error("{column} has {got} values instead of {expected}")]
    Length {
        /// The column.
        column: &'static str,
        /// How many values it should have.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// Something points behind the end of what it points into.
    #[error("{what} is {index}, but there are only {count}")]
    Index {
        /// What points.
        what: &'static str,
        /// Where to.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A thumbnail that a browser would have to fetch.
    #[error("thumbnail of {id} does not begin with data:image/")]
    Thumbnail {
        /// The sample's id.
        id: String,
    },
    /// A map, but no samples that its points could be.
    #[error("map without samples")]
    MapWithoutSamples,
}

type Checked = Result<(), PageError>;

impl Page {
    /// Checks what [`crate::render`] relies on: columns that belong together are of one length, classes,
    /// rows and choices exist, and thumbnails lie in the page.
    ///
    /// # Errors
    ///
    /// [`PageError`] names the first thing that does not fit.
    pub fn check(&self) -> Result<(), PageError> {
        self.check_samples()?;
        self.check_classes()?;
        self.check_fit()?;
        if let Some(slices) = &self.slices {
            let m = slices.metrics.len();
            length("slices.overall", m, slices.overall.len())?;
            length("slices.scales", m, slices.scales.len())?;
            slices.slices.iter().try_for_each(|s| length("slices.slices.estimates", m, s.estimates.len()))?;
        }
        let outside = self.thumbnails.iter().find(|(_, uri)| !uri.starts_with("data:image/"));
        outside.map_or(Ok(()), |(id, _)| Err(PageError::Thumbnail { id: id.clone() }))
    }

    fn check_samples(&self) -> Checked {
        for output in self.values.iter().flat_map(|values| &values.outputs) {
            let n = self.values.as_ref().map_or(0, |values| values.ids.len());
            self.class("output of values", output.output)?;
            length("values.outputs.truth", n, output.truth.len())?;
            length("values.outputs.predicted", n, output.predicted.len())?;
        }
        if let Some(samples) = &self.samples {
            self.check_classes_of(samples)?;
        }
        let ids = self.samples.as_ref().map(|samples| &samples.ids);
        let ids = ids.or(self.values.as_ref().map(|values| &values.ids));
        match (ids, &self.map) {
            (Some(ids), Some(map)) => check_map(map, ids.len()),
            (None, Some(_)) => Err(PageError::MapWithoutSamples),
            (_, None) => Ok(()),
        }
    }

    fn check_classes_of(&self, samples: &Samples) -> Checked {
        let n = samples.ids.len();
        length("samples.truth", n, samples.truth.len())?;
        length("samples.predicted", n, samples.predicted.len())?;
        length("samples.confidence", n, samples.confidence.len())?;
        let classes = samples.truth.iter().chain(&samples.predicted);
        classes.copied().try_for_each(|class| self.class("class of a sample", class))
    }

    fn check_classes(&self) -> Checked {
        for cell in self.confusion.iter().flat_map(|confusion| &confusion.cells) {
            self.class("class of a confusion", cell.truth.max(cell.predicted))?;
        }
        if let Some(curves) = &self.curves {
            [&curves.macro_roc, &curves.macro_precision_recall].into_iter().flatten().try_for_each(curve)?;
            for class in &curves.classes {
                self.class("class of a curve", class.class)?;
                [&class.roc, &class.precision_recall].into_iter().flatten().try_for_each(curve)?;
            }
        }
        if let Some(table) = &self.class_table {
            length("class_table.support", self.classes.len(), table.support.len())?;
            for column in &table.columns {
                length("class_table.columns.estimates", self.classes.len(), column.estimates.len())?;
            }
        }
        Ok(())
    }

    fn check_fit(&self) -> Checked {
        if let Some(reject) = self.calibration.as_ref().and_then(|calibration| calibration.reject.as_ref()) {
            length("calibration.reject.accuracy", reject.coverage.len(), reject.accuracy.len())?;
            length("calibration.reject.threshold", reject.coverage.len(), reject.threshold.len())?;
        }
        if let Some(histogram) =
            self.calibration.as_ref().and_then(|calibration| calibration.histogram.as_ref())
        {
            length("calibration.histogram.wrong", histogram.right.len(), histogram.wrong.len())?;
        }
        if let Some(learning) = &self.learning {
            let n = learning.rows.len();
            optional("learning.fractions", n, learning.fractions.len())?;
            for metric in &learning.metrics {
                optional("learning.metrics.train", n, metric.train.len())?;
                length("learning.metrics.held_out", n, metric.held_out.len())?;
            }
        }
        let Some(sweep) = &self.sweep else { return Ok(()) };
        optional("sweep.train", sweep.values.len(), sweep.train.len())?;
        length("sweep.held_out", sweep.values.len(), sweep.held_out.len())?;
        within("sweep.chosen", sweep.chosen, sweep.values.len())
    }

    fn class(&self, what: &'static str, class: u32) -> Checked {
        within(what, class as usize, self.classes.len())
    }
}

fn check_map(map: &Map, n: usize) -> Checked {
    let points = if map.rows.is_empty() { n } else { map.rows.len() };
    length("map.x", points, map.x.len())?;
    length("map.y", points, map.y.len())?;
    map.rows.iter().try_for_each(|&row| within("row of a point", row as usize, n))
}

fn curve(curve: &Curve) -> Checked {
    length("y of a curve", curve.x.len(), curve.y.len())?;
    optional("threshold of a curve", curve.x.len(), curve.threshold.len())
}

fn length(column: &'static str, expected: usize, got: usize) -> Checked {
    if got == expected { Ok(()) } else { Err(PageError::Length { column, expected, got }) }
}

fn optional(column: &'static str, expected: usize, got: usize) -> Checked {
    if got == 0 { Ok(()) } else { length(column, expected, got) }
}

fn within(what: &'static str, index: usize, count: usize) -> Checked {
    if index < count { Ok(()) } else { Err(PageError::Index { what, index, count }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Cell, ClassTable, Confusion, Estimate, Scale, Sweep};

    fn page() -> Page {
        let samples = Samples {
            ids: vec!["a.jpg".to_owned(), "b.jpg".to_owned()],
            truth: vec![0, 1],
            predicted: vec![1, 1],
            confidence: vec![0.75, 0.5],
        };
        let classes = vec!["cat".to_owned(), "dog".to_owned()];
        Page { classes, confusion: Some(Confusion::of(&samples)), samples: Some(samples), ..Page::default() }
    }

    #[test]
    fn what_fits_is_taken() {
        assert_eq!(Page::default().check(), Ok(()));
        assert_eq!(page().check(), Ok(()));
    }

    #[test]
    fn each_misfit_is_named() {
        let sweep = |chosen, train| Sweep {
            parameter: "weight_decay".to_owned(),
            metric: "log loss".to_owned(),
            scale: Scale::Loss,
            values: vec![1e-3, 1e-2],
            train,
            held_out: vec![Estimate::bare(1.0); 2],
            chosen,
        };
        let map = || Map { x: vec![0.0, 1.0], y: vec![0.0, 1.0], ..Map::default() };
        let one_cell = |truth| Confusion { cells: vec![Cell { truth, predicted: 0, count: 1 }] };
        type Spoil<'a> = &'a dyn Fn(&mut Page);
        let cases: [(Spoil<'_>, &str); 8] = [
            (
                &|page| page.samples.as_mut().unwrap().confidence.push(1.0),
                "samples.confidence has 3 values instead of 2",
            ),
            (
                &|page| page.samples.as_mut().unwrap().truth[0] = 2,
                "class of a sample is 2, but there are only 2",
            ),
            (&|page| page.confusion = Some(one_cell(7)), "class of a confusion is 7, but there are only 2"),
            (
                &|page| page.map = Some(Map { rows: vec![0, 5], ..map() }),
                "row of a point is 5, but there are only 2",
            ),
            (&|page| (page.map, page.samples) = (Some(map()), None), "map without samples"),
            (&|page| page.sweep = Some(sweep(2, Vec::new())), "sweep.chosen is 2, but there are only 2"),
            (
                &|page| page.class_table = Some(ClassTable::default()),
                "class_table.support has 0 values instead of 2",
            ),
            (
                &|page| {
                    page.thumbnails.insert("a.jpg".to_owned(), "https://example.org/a.jpg".to_owned());
                },
                "thumbnail of a.jpg does not begin with data:image/",
            ),
        ];
        for (spoil, expected) in cases {
            let mut page = page();
            spoil(&mut page);
            assert_eq!(page.check().unwrap_err().to_string(), expected);
        }
        let page = Page { sweep: Some(sweep(1, vec![Estimate::bare(1.0)])), ..page() };
        assert_eq!(page.check().unwrap_err().to_string(), "sweep.train has 1 values instead of 2");
    }
}
