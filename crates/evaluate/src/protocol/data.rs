//! The rows that a protocol draws from and scores, with their classes.

use std::collections::BTreeMap;

use anyhow::bail;
use cli::count;
use features::{FeatureSet, Selection};
use sample::{
    LABEL, Split,
    targets::{Said, Samples as _, TargetSpec, Task, label_set},
};
use store::{brief::shortened, table::SampleTable};

use super::{Protocol, choice::By, config::Config};

/// Rows of one split.
pub(crate) struct Part<'a> {
    pub(crate) rows: Selection<'a>,
    /// (n,)
    pub(crate) labels: Vec<u32>,
}

/// What there is to draw from and to score: no val rows, and no augmented views.
pub(crate) struct Data<'a> {
    /// Of the classes.
    pub(crate) names: Vec<String>,
    pub(crate) train: Part<'a>,
    pub(crate) scored: Part<'a>,
    /// The train rows in the order in which the data set has them, as far as ids tell.
    pub(crate) order: Vec<u32>,
    /// What is to be known of them, a line each.
    pub(crate) notes: Vec<String>,
}

impl<'a> Data<'a> {
    /// Reads the classes of both, and checks that the protocol can be carried out.
    ///
    /// # Errors
    /// A split without rows; what does not stand for one class a row; classes with too few rows.
    pub(crate) fn read(features: &'a FeatureSet, config: &Config) -> anyhow::Result<Data<'a>> {
        let Config { protocol, split, .. } = *config;
        for wanted in [Split::Train, split] {
            check_split(features, wanted)?;
        }
        let both = Selection::of(features, |row| [Split::Train, split].contains(&features.split(row)));
        let columns = config.target_columns.as_deref();
        let column = columns.map_or(LABEL, |columns| &columns[0]);
        let manifest = config.manifest.as_ref().map(|path| SampleTable::open(path, &[column])).transpose()?;
        let said = Said { samples: &both, manifest: manifest.as_ref() };
        let (spec, names) = TargetSpec::find(Task::Class, said, columns)?;
        let labels = spec.read(&names, said)?.classes().to_vec();
        let place = format!("{}, column `{}`", said.place(column), shortened(column));
        check_classes(&names, &place)?;
        let part = |wanted: Split| {
            let rows = Selection::split(features, wanted);
            let own = (0..both.len()).filter(|&at| features.split(both.row(at)) == wanted);
            Part { labels: own.map(|at| labels[at]).collect(), rows }
        };
        let (train, scored) = (part(Split::Train), part(split));
        let mut notes = Vec::new();
        notes.extend(check_counts(&train.labels, &names, &place, protocol)?);
        let ids: Vec<&str> = (0..train.rows.len()).map(|at| train.rows.id(at)).collect();
        let order = match protocol.by() {
            By::Us => (0..ids.len() as u32).collect(),
            By::Mteb => {
                let (order, is_known) = order(&ids);
                let unsure = "mteb's draws depend on the order of the train rows, and these are in the order of their ids; the data set's may be another";
                notes.extend((!is_known).then(|| unsure.to_owned()));
                notes.extend(skipped(features));
                order
            }
        };
        Ok(Data { names, train, scored, order, notes })
    }
}

fn check_split(features: &FeatureSet, wanted: Split) -> anyhow::Result<()> {
    let has = |split: Split| features.splits().get(&split).is_some_and(|&rows| rows > 0);
    if has(wanted) {
        return Ok(());
    }
    let names = features.names();
    let other = if wanted == Split::Test && has(Split::Val) { "give --split val, or " } else { "" };
    let what = if wanted == Split::Train { "draw from" } else { "score" };
    bail!(
        "`{names}` has no {wanted} rows, and --protocol needs some to {what}; {other}give the data a folder, a file or a column of splits, and rerun extract"
    )
}

/// Refuses what is no choice between classes.
fn check_classes(names: &[String], place: &str) -> anyhow::Result<()> {
    if let [class] = names {
        bail!("{place} has one class, `{}`: expected two or more to tell apart", shortened(class));
    }
    // A class may be called so; where a part of it is elsewhere as well, it is a list.
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    names.iter().flat_map(|name| label_set(name)).for_each(|label| *seen.entry(label).or_default() += 1);
    let is_list = |name: &&String| {
        let labels = label_set(name);
        labels.len() > 1 && labels.iter().any(|label| seen[label] > 1)
    };
    if let Some(list) = names.iter().find(is_list) {
        bail!(
            "{place} holds lists of labels, such as `{}`; --protocol takes one class a row",
            shortened(list)
        );
    }
    Ok(())
}

/// Refuses classes with too few rows to draw; says where MTEB takes fewer.
fn check_counts(
    labels: &[u32],
    names: &[String],
    place: &str,
    protocol: Protocol,
) -> anyhow::Result<Option<String>> {
    let mut counts = vec![0; names.len()];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    let Some((class, &least)) = counts.iter().enumerate().min_by_key(|(_, rows)| **rows) else {
        return Ok(None);
    };
    if least >= protocol.rows() {
        return Ok(None);
    }
    let few = counts.iter().filter(|rows| **rows < protocol.rows()).count();
    let what = format!(
        "{} of {} classes have fewer than {} train rows, such as `{}` with {}",
        count(few as u64),
        count(names.len() as u64),
        count(protocol.rows() as u64),
        shortened(&names[class]),
        count(least)
    );
    if protocol.by() == By::Mteb && least > 0 {
        return Ok(Some(format!("{what}; all of them are drawn, as by mteb")));
    }
    let are_numbers = names.iter().all(|name| name.trim().parse::<f64>().is_ok());
    let hint = match (are_numbers, least) {
        (true, _) => "they are numbers, and --protocol takes classes",
        (false, 0) => "give it some, or leave its other rows out",
        (false, _) => "draw fewer",
    };
    bail!("{place}: {what}; {hint}")
}

/// Rows by the order of the data set, and whether that is known: where ids are numbers, or rows are numbered by us.
fn order(ids: &[&str]) -> (Vec<u32>, bool) {
    let mut order: Vec<u32> = (0..).zip(ids).map(|(at, _)| at).collect();
    let numbers: Option<Vec<u64>> = ids.iter().map(|id| id.parse().ok()).collect();
    if let Some(numbers) = numbers {
        // Sorted as texts, 10 is before 9.
        order.sort_by_key(|&at| numbers[at as usize]);
        return (order, true);
    }
    let is_numbered = |id: &&str| {
        let number = id.rsplit_once('#').map(|(_, number)| number).or_else(|| id.strip_prefix("row-"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    (order, ids.iter().all(is_numbered))
}

/// Samples that MTEB has and the features have not.
fn skipped(features: &FeatureSet) -> Option<String> {
    let skipped = features.parts().map(|part| part.index().skipped.len()).max().unwrap_or(0);
    (skipped > 0).then(|| {
        format!("{} samples were skipped by extract, so mteb's draws are others", count(skipped as u64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_data_set_where_ids_tell() {
        let cases: [(&[&str], &[u32], bool); 6] = [
            (&["train#000000", "train#000001"], &[0, 1], true),
            (&["row-0000001", "row-0000002"], &[0, 1], true),
            (&["0", "1", "10", "2"], &[0, 1, 3, 2], true),
            (&["daisy/1.png", "roses/2.png"], &[0, 1], false),
            (&["a#1", "a#"], &[0, 1], false),
            (&["1", "x"], &[0, 1], false),
        ];
        for (ids, expected, is_known) in cases {
            assert_eq!(order(ids), (expected.to_vec(), is_known), "{ids:?}");
        }
    }

    #[test]
    fn lists_are_told_from_classes_with_a_stroke() {
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            check_classes(&names, "`x`").map_err(|error| error.to_string())
        };
        assert!(check(&["a", "b"]).is_ok() && check(&["a|b", "c"]).is_ok() && check(&["||", "|"]).is_ok());
        assert!(check(&["a"]).unwrap_err().contains("one class, `a`"));
        for names in [["a", "a|b"], ["a|b", "b|c"]] {
            assert!(check(&names).unwrap_err().contains("lists of labels, such as `a|b`"), "{names:?}");
        }
    }
}
