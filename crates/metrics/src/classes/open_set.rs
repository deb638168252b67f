//! Rows of classes that a classifier does not know, beside those that it does: open-set recognition (Scheirer et al., 2013).

use crate::{
    against::Against,
    class_ranking::ClassRanking,
    interval::proportion,
    metric::{
        Measured, Metric, Scale,
        ShownIn::{Page, Summary},
    },
};

/// What a classifier that may decline made of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Whether the most probable class is the row's own; of a row of an unknown class it says nothing.
    pub is_class_right: bool,
    /// Whether the classifier declined.
    pub is_declined: bool,
    /// The higher, the less the row looks like what is known: a distance, or how little confidence there was.
    pub doubt: f64,
}

/// Rows of known classes, and rows of others.
#[derive(Debug)]
pub struct OpenSet {
    unknown: u64,
    judged: Option<Judged>,
}

/// Where rows of unknown classes count: how many there are of each.
#[derive(Debug)]
struct Judged {
    known: u64,
    /// Known rows that are not declined.
    accepted: u64,
    /// Of them those that are right.
    right: u64,
    /// Unknown rows that are declined.
    rejected: u64,
    /// How doubt ranks unknown rows above known ones.
    ranking: Option<ClassRanking>,
}

impl OpenSet {
    /// So many rows of unknown classes, which are left out.
    pub fn left_out(unknown: u64) -> OpenSet {
        OpenSet { unknown, judged: None }
    }

    /// Rows of known classes, and rows of unknown ones, which are right where they are declined.
    pub fn judged(known: &[Answer], unknown: &[Answer]) -> OpenSet {
        let of = |rows: &[Answer], is: fn(&Answer) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
        // What is no number is as doubtful as can be.
        let doubt = |row: &Answer| if row.doubt.is_nan() { f64::INFINITY } else { row.doubt };
        let negatives = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let mut ranks = Against::new(unknown.iter().map(doubt).collect(), negatives);
        for row in known {
            ranks.count(doubt(row));
        }
        OpenSet {
            unknown: unknown.len() as u64,
            judged: Some(Judged {
                known: known.len() as u64,
                accepted: of(known, |row| !row.is_declined),
                right: of(known, |row| row.is_class_right && !row.is_declined),
                rejected: of(unknown, |row| row.is_declined),
                ranking: ClassRanking::of(&ranks),
            }),
        }
    }

    /// Whether rows of unknown classes count.
    pub fn is_judged(&self) -> bool {
        self.judged.is_some()
    }

    /// Rows of unknown classes.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// A part of some rows, and their number; nothing where there are none, or where unknown rows are left out.
    fn share(&self, part: fn(&OpenSet, &Judged) -> (u64, u64)) -> Option<(u64, u64)> {
        self.judged.as_ref().map(|judged| part(self, judged)).filter(|(_, rows)| *rows > 0)
    }
}

/// (unknown rows that are declined, unknown rows)
fn rejected(of: &OpenSet, judged: &Judged) -> (u64, u64) {
    (judged.rejected, of.unknown)
}

/// (known rows that are answered, known rows)
fn accepted(_: &OpenSet, judged: &Judged) -> (u64, u64) {
    (judged.accepted, judged.known)
}

/// (rows that are right, rows)
fn right(of: &OpenSet, judged: &Judged) -> (u64, u64) {
    (judged.right + judged.rejected, judged.known + of.unknown)
}

/// A proportion of rows.
macro_rules! share {
    ($part:ident, $name:literal, $title:literal) => {
        M::new($name, $title, Scale::Share, |of| {
            of.share($part).map(|(hits, rows)| hits as f64 / rows as f64)
        })
        .within(|of, _| of.share($part).and_then(|(hits, rows)| proportion(hits, rows)))
        .when(|of| of.judged.is_some())
        .over(|of| of.share($part).map_or(0, |(_, rows)| rows))
        .shown(&[Summary, Page])
    };
}

type M = Metric<OpenSet>;

impl Measured for OpenSet {
    const METRICS: &'static [M] = &[
        M::new("unknown_rows", "Rows of unknown classes", Scale::Count, |of| Some(of.unknown as f64))
            .shown(&[Summary]),
        share!(right, "open_set_accuracy", "Open-set accuracy"),
        share!(accepted, "known_accepted", "Known rows that are answered"),
        share!(rejected, "unknown_rejected", "Unknown rows that are rejected"),
        M::new("unknown_roc_auc", "ROC AUC of unknown rows", Scale::Share, |of| {
            Some(of.judged.as_ref()?.ranking?.roc_auc)
        })
        .within(|of, _| Some(of.judged.as_ref()?.ranking?.roc_auc_interval()))
        .when(|of| of.judged.is_some())
        .over(|of| of.share(right).map_or(0, |(_, rows)| rows))
        .shown(&[Summary, Page]),
    ];

    fn rows(&self) -> u64 {
        self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{figures, named};

    fn answer(is_class_right: bool, is_declined: bool, doubt: f64) -> Answer {
        Answer { is_class_right, is_declined, doubt }
    }

    #[test]
    fn unknown_rows_are_right_where_they_are_declined() {
        let known = [
            answer(true, false, 0.1),
            answer(true, true, 0.6),
            answer(false, false, 0.2),
            answer(false, true, 0.7),
        ];
        // Of one that is declined the class may look right: it is not.
        let unknown = [answer(false, true, 0.7), answer(true, false, 0.3)];
        let found = figures(&OpenSet::judged(&known, &unknown));
        // 0.7 is above three and tied with one, 0.3 above two: 5.5 of 8 pairs.
        for (name, value, rows) in [
            ("unknown_rows", 2.0, 2),
            ("open_set_accuracy", 2.0 / 6.0, 6),
            ("known_accepted", 0.5, 4),
            ("unknown_rejected", 0.5, 2),
            ("unknown_roc_auc", 5.5 / 8.0, 6),
        ] {
            let figure = named(&found, name).unwrap();
            assert_eq!((figure.estimate.value, figure.rows), (Some(value), rows), "{name}");
            match figure.estimate.interval {
                Some(ends) => assert!(ends.low < value && value < ends.high, "{name} {ends:?}"),
                None => assert_eq!(name, "unknown_rows"),
            }
        }
        let ends = named(&found, "open_set_accuracy").unwrap().estimate.interval;
        assert_eq!(ends, proportion(2, 6));
    }

    #[test]
    fn what_is_left_out_is_counted_and_what_is_not_there_is_undefined() {
        let found = figures(&OpenSet::left_out(3));
        let names: Vec<_> = found.iter().map(|figure| (figure.about.name, figure.estimate.value)).collect();
        assert_eq!(names, [("unknown_rows", Some(3.0))]);
        let known = [answer(true, false, 0.1)];
        type Case<'a> = (&'a [Answer], &'a [Answer], [Option<f64>; 4]);
        let cases: [Case<'_>; 3] = [
            (&known, &[], [Some(1.0), Some(1.0), None, None]),
            (&[], &[answer(false, true, 1.0)], [Some(1.0), None, Some(1.0), None]),
            (&[], &[], [None; 4]),
        ];
        for (known, unknown, expected) in cases {
            let found = figures(&OpenSet::judged(known, unknown));
            assert_eq!(found[1..].iter().map(|figure| figure.estimate.value).collect::<Vec<_>>(), expected);
        }
    }
}
