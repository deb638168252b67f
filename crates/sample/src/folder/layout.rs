//! What the folders on top of a tree are: classes, or splits with the classes below them.

use super::{
    entries::{Folder, Name},
    files::Files,
};
use crate::{DatasetError, Split};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What the folders on top are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Classes,
    /// The split of each.
    Splits(Vec<Split>),
}

/// How a folder's name says a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelt {
    pub(crate) split: Split,
    /// Words that it says besides: none of `train_set`, `seg` of `seg_train`.
    beside: Vec<String>,
    /// It is val as well: `trainval`.
    both: bool,
}

impl Spelt {
    /// Whether it says nothing besides.
    pub(crate) fn is_exact(&self) -> bool {
        self.beside.is_empty()
    }
}

/// Words beside a split's that say nothing.
const FILLERS: [&str; 12] = [
    "set", "sets", "data", "dataset", "image", "images", "img", "imgs", "pictures", "photos", "split",
    "samples",
];
/// Folders that each hold nothing but one other folder, one within another.
const DEEPEST: usize = 8;
/// Names that a message gives as examples.
const EXAMPLES: usize = 3;

/// # Errors
/// Folders that could be either, and split folders beside others: nobody shall be given classes that are none, nor splits
/// that hold more than they say.
pub(super) fn of(files: &dyn Files, root: &Path, top: &Folder) -> Result<Layout, DatasetError> {
    let list = |name: &Name| Folder::list(files, &root.join(&name.raw));
    let spelt: Vec<Option<Spelt>> = top.folders.iter().map(|name| spelling(&name.text)).collect();
    let all: Option<Vec<Spelt>> = spelt.iter().cloned().collect();
    let is_exact = |spelt: &Option<Spelt>| spelt.as_ref().is_some_and(Spelt::is_exact);
    if let Some(other) = spelt.iter().position(|spelt| !is_exact(spelt)) {
        // Among buses and trams, `train` is a class: then it holds samples, and no folders.
        for (name, _) in top.folders.iter().zip(&spelt).filter(|(_, spelt)| is_exact(spelt)) {
            if !list(name)?.folders.is_empty() {
                return Err(DatasetError::Mixed {
                    path: root.to_owned(),
                    split: name.text.clone(),
                    other: top.folders[other].text.clone(),
                });
            }
        }
        // `seg_train` and `seg_test`. Steam trains and test tubes are classes, and say different things besides.
        let alike = |all: &Vec<Spelt>| {
            all.iter().all(|spelt| spelt.beside == all[0].beside)
                && all.iter().any(|spelt| spelt.split != all[0].split)
        };
        if let Some(all) = all.filter(alike) {
            for name in &top.folders {
                // Classes have pictures in their folders.
                if list(name)?.holds_folders_only() {
                    return splits(root, top, &all);
                }
            }
        }
    } else if let Some(all) = all.filter(|all| !all.is_empty()) {
        return splits(root, top, &all);
    }
    refuse_alike(files, root, top)?;
    Ok(Layout::Classes)
}

/// The split that a folder's name says, if it says one.
pub(crate) fn spelling(name: &str) -> Option<Spelt> {
    let mut said = BTreeSet::new();
    let mut beside = Vec::new();
    for word in words(name) {
        match &splits_of(&word)[..] {
            [] if FILLERS.contains(&word.as_str()) => {}
            [] => beside.push(word),
            splits => said.extend(splits.iter().copied()),
        }
    }
    let both = said.contains(&Split::Train) && said.contains(&Split::Val);
    match (said.len(), said.first()) {
        (1, Some(&split)) => Some(Spelt { split, beside, both }),
        (2, Some(&split)) if both => Some(Spelt { split, beside, both }),
        _ => None,
    }
}

/// `TrainSet_2017` is `train`, `set`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        if !letter.is_alphabetic() || (was_lower && letter.is_uppercase()) {
            words.push(String::new());
        }
        if letter.is_alphabetic() {
            words.last_mut().into_iter().for_each(|word| word.extend(letter.to_lowercase()));
        }
        was_lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a word says of splits: nothing, one, or two at once.
fn splits_of(word: &str) -> Vec<Split> {
    let bare =
        ["dataset", "data", "set", "images", "imgs"].iter().find_map(|ending| word.strip_suffix(ending));
    match bare.filter(|bare| !bare.is_empty()).unwrap_or(word) {
        "trainval" | "trainvalid" => vec![Split::Train, Split::Val],
        word => Split::parse(word).into_iter().collect(),
    }
}

fn splits(root: &Path, top: &Folder, all: &[Spelt]) -> Result<Layout, DatasetError> {
    // What is in `trainval` is in `train` or `val` once more.
    if let Some(both) = all.iter().position(|spelt| spelt.both)
        && let Some(other) = (0..all.len()).find(|&at| at != both && all[at].split != Split::Test)
    {
        let name = |at: usize| top.folders[at].text.clone();
        return Err(DatasetError::Overlap { path: root.to_owned(), both: name(both), other: name(other) });
    }
    // `train` and `train_images` may hold the same pictures. `train1` and `train2` are parts.
    let letters = |at: usize| top.folders[at].text.chars().filter(|letter| letter.is_alphabetic());
    for (second, spelt) in all.iter().enumerate() {
        let of_that_split = (0..second).filter(|&first| all[first].split == spelt.split);
        for first in of_that_split {
            if !spelt.is_exact() || !letters(first).eq(letters(second)) {
                let name = |at: usize| top.folders[at].text.clone();
                let (first, second) = (name(first), name(second));
                return Err(DatasetError::SplitTwice {
                    path: root.to_owned(),
                    split: spelt.split,
                    first,
                    second,
                });
            }
        }
    }
    Ok(Layout::Splits(all.iter().map(|spelt| spelt.split).collect()))
}

/// Classes hold pictures, or folders of their own. Folders that hold the same folders are something else: splits, people,
/// domains.
fn refuse_alike(files: &dyn Files, root: &Path, top: &Folder) -> Result<(), DatasetError> {
    if top.folders.len() < 2 || !top.samples.is_empty() {
        return Ok(());
    }
    let mut insides = Vec::new();
    for name in &top.folders {
        match levels(files, root.join(&name.raw))? {
            Some(levels) => insides.push((name, levels)),
            // One that holds pictures is a class, and so are its like.
            None => return Ok(()),
        }
    }
    // Where all hold one folder, what that holds tells.
    let several =
        |level: &usize| insides.iter().any(|(_, levels)| levels.get(*level).is_some_and(|l| l.len() > 1));
    let Some(level) = (0..DEEPEST).find(several) else { return Ok(()) };
    let insides: Vec<(&Name, BTreeSet<String>)> = insides
        .iter()
        .map(|(name, levels)| (*name, levels.get(level).cloned().unwrap_or_default()))
        .collect();
    let said = |names: &BTreeSet<String>| -> BTreeSet<Split> {
        names.iter().filter_map(|name| spelling(name)).filter(Spelt::is_exact).map(|s| s.split).collect()
    };
    if let Some((name, _)) = insides.iter().find(|(_, names)| said(names).len() > 1) {
        return Err(DatasetError::SplitsBelow { path: root.to_owned(), class: name.text.clone() });
    }
    // Which of those before hold a name.
    let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (name, names)) in insides.iter().enumerate() {
        let mut shared: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for inner in names {
            let before = holders.entry(inner).or_default();
            before.iter().for_each(|&other| shared.entry(other).or_default().push(inner));
            before.push(at);
        }
        for (other, shared) in shared {
            let (first, others) = &insides[other];
            // Two folders that each hold `misc` beside three of their own are classes with parts.
            let many = 2 * shared.len() >= names.len().min(others.len());
            if many && names.len().max(others.len()) > 1 {
                return Err(DatasetError::Alike {
                    path: root.to_owned(),
                    first: first.text.clone(),
                    second: name.text.clone(),
                    names: store::brief::few(&shared[..shared.len().min(EXAMPLES)]),
                });
            }
        }
    }
    Ok(())
}

/// The folders in a folder; then, as long as that is one only, the folders in it. `None` where there are samples on top.
fn levels(files: &dyn Files, mut path: PathBuf) -> Result<Option<Vec<BTreeSet<String>>>, DatasetError> {
    let mut levels = Vec::new();
    while levels.len() < DEEPEST {
        let folder = Folder::list(files, &path)?;
        if !folder.samples.is_empty() && levels.is_empty() {
            return Ok(None);
        }
        if !folder.holds_folders_only() {
            break;
        }
        levels.push(folder.folders.iter().map(|name| name.text.clone()).collect());
        match &folder.folders[..] {
            [only] => path.push(&only.raw),
            _ => break,
        }
    }
    Ok(Some(levels))
}
