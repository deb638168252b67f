//! Which sections a page has, and what they are called.

use crate::page::{Outputs, Page};

/// One section: its element's id, which the scripts fill in, and its heading.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    present: fn(&Page) -> bool,
}

/// In the order shown.
const SECTIONS: [Section; 14] = [
    Section { id: "summary", title: "Summary", present: |_| true },
    Section {
        id: "confusion",
        title: "Confusions",
        present: |page| page.confusion.as_ref().is_some_and(|confusion| !confusion.cells.is_empty()),
    },
    Section {
        id: "calibration",
        title: "Calibration",
        present: |page| {
            page.calibration.as_ref().is_some_and(|calibration| {
                !calibration.equal_width.is_empty()
                    || !calibration.equal_mass.is_empty()
                    || calibration.histogram.is_some()
                    || calibration.reject.is_some()
            })
        },
    },
    Section {
        id: "curves",
        title: "Thresholds",
        present: |page| {
            page.curves.as_ref().is_some_and(|curves| {
                curves.macro_roc.is_some()
                    || curves.macro_precision_recall.is_some()
                    || !curves.classes.is_empty()
            })
        },
    },
    Section {
        id: "classes",
        title: "Classes",
        present: |page| page.class_table.is_some() && !page.classes.is_empty(),
    },
    Section {
        id: "values",
        title: "Predicted against true",
        present: |page| {
            page.outputs == Outputs::Number
                && page
                    .values
                    .as_ref()
                    .is_some_and(|values| !values.ids.is_empty() && !values.outputs.is_empty())
        },
    },
    Section { id: "learning", title: "Learning curve", present: |page| page.learning.is_some() },
    Section { id: "sweep", title: "Choice of settings", present: |page| page.sweep.is_some() },
    Section { id: "mistakes", title: "Hardest mistakes", present: |page| !page.mistakes.is_empty() },
    Section { id: "mislabels", title: "Suspected mislabels", present: |page| !page.mislabels.is_empty() },
    Section { id: "duplicates", title: "Near-duplicates", present: |page| !page.duplicates.is_empty() },
    Section { id: "map", title: "Map of the features", present: |page| page.map.is_some() },
    Section { id: "slices", title: "Slices", present: |page| page.slices.is_some() },
    Section { id: "lineage", title: "Lineage", present: |page| !page.lineage.is_empty() },
];

/// Those that `page` has something to say in.
pub(crate) fn of(page: &Page) -> impl Iterator<Item = &'static Section> {
    SECTIONS.iter().filter(|section| (section.present)(page))
}

/// Ids of all that a page can have.
#[cfg(test)]
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|section| section.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Calibration, Cell, Confusion, Curves, LineageEntry, LineageGroup};

    fn ids(page: &Page) -> Vec<&'static str> {
        of(page).map(|section| section.id).collect()
    }

    #[test]
    fn an_empty_page_is_its_summary() {
        assert_eq!(ids(&Page::default()), ["summary"]);
    }

    #[test]
    fn what_is_there_but_empty_has_no_section() {
        let page = Page {
            confusion: Some(Confusion::default()),
            calibration: Some(Calibration::default()),
            curves: Some(Curves::default()),
            ..Page::default()
        };
        assert_eq!(ids(&page), ["summary"]);
    }

    #[test]
    fn what_is_there_has_one() {
        let entry = LineageEntry { key: "engine".to_owned(), value: "7".to_owned() };
        let page = Page {
            classes: vec!["cat".to_owned()],
            confusion: Some(Confusion { cells: vec![Cell { truth: 0, predicted: 0, count: 1 }] }),
            lineage: vec![LineageGroup { title: "Features".to_owned(), entries: vec![entry] }],
            ..Page::default()
        };
        assert_eq!(ids(&page), ["summary", "confusion", "lineage"]);
    }
}
