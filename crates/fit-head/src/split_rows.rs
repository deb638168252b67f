//! The rows of one split with their views, whatever is learnt of them.

use cli::count;
use features::{FeatureSet, Rows as _, Selection};
use head::SeenSamples;
use sample::Split;

/// Rows of one split, read from the artefact as they are needed: samples, and their augmented views, which are learnt from
/// and judge nothing.
pub(crate) struct SplitRows<'a> {
    selection: Selection<'a>,
    /// Each row's view.
    views: Vec<u32>,
}

impl<'a> SplitRows<'a> {
    /// `None` where the split has no rows.
    pub(crate) fn of(features: &'a FeatureSet, split: Split) -> Option<SplitRows<'a>> {
        let rows = SplitRows::new(Selection::with_views(features, |row| features.split(row) == split));
        (rows.len() > 0).then_some(rows)
    }

    fn new(selection: Selection<'a>) -> SplitRows<'a> {
        SplitRows { views: selection.views(), selection }
    }

    /// These rows without those that `aside` picks, and of these those that are no augmented views.
    pub(crate) fn divide(
        &self,
        features: &'a FeatureSet,
        aside: impl Fn(usize) -> bool,
    ) -> (SplitRows<'a>, SplitRows<'a>) {
        // By row of the artefact: 0 is none of ours.
        let mut places = vec![0u8; features.len()];
        (0..self.len()).for_each(|at| places[self.row(at)] = 1 + u8::from(aside(at)));
        let part = |place: u8| {
            SplitRows::new(Selection::with_views(features, |row| {
                places[row] == place && (place == 1 || features.view(row) == 0)
            }))
        };
        (part(1), part(2))
    }

    /// These rows without augmented views: one a sample.
    pub(crate) fn plain(&self, features: &'a FeatureSet) -> SplitRows<'a> {
        self.divide(features, |_| true).1
    }

    /// Where each of these rows, which are among those of `whole`, is there.
    pub(crate) fn places_in<'b>(&'b self, whole: &'b SplitRows<'_>) -> impl Iterator<Item = usize> + 'b {
        let mut at = 0;
        // Both ascend.
        (0..self.len()).map(move |own| {
            while whole.row(at) < self.row(own) {
                at += 1;
            }
            at
        })
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.selection.len()
    }

    /// The row of the artefact that is row `at` here.
    pub(crate) fn row(&self, at: usize) -> usize {
        self.selection.row(at)
    }

    /// The rows that are no augmented views: one a sample.
    pub(crate) fn samples(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&at| self.views[at] == 0)
    }

    /// The samples among them, as a head remembers what it was fitted on.
    pub(crate) fn seen(&self, features: &FeatureSet) -> SeenSamples {
        SeenSamples::of(self.samples().map(|at| features.key(self.row(at))))
    }

    /// Whether there are augmented views among them.
    pub(crate) fn has_views(&self) -> bool {
        self.views.iter().any(|view| *view > 0)
    }

    /// `90 rows`; with views `360 rows (90 samples and their views)`.
    pub(crate) fn describe(&self) -> String {
        let rows = format!("{} rows", count(self.len() as u64));
        if !self.has_views() {
            return rows;
        }
        format!("{rows} ({} samples and their views)", count(self.samples().count() as u64))
    }

    /// Each row's view, (n,).
    pub(crate) fn views(&self) -> &[u32] {
        &self.views
    }

    /// The rows themselves.
    pub(crate) fn selection(&self) -> &Selection<'a> {
        &self.selection
    }
}
