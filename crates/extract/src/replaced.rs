//! What becomes of the rows of an output that is updated: each comes again, or is removed.

use features::{Finished, NetworkSource, Source};
use std::{collections::HashMap, path::Path};
use store::Digest;

/// Rows of the folder that is to be replaced, of which those are taken off that come again.
pub(crate) struct Replaced {
    rows: u64,
    /// How often each content key is there.
    keys: HashMap<Digest, u32>,
}

impl Replaced {
    pub(crate) fn new(finished: &Finished) -> Replaced {
        let mut keys = HashMap::new();
        finished.keys.iter().for_each(|key| *keys.entry(*key).or_default() += 1);
        Replaced { rows: finished.index.rows, keys }
    }

    /// A row of this key is written.
    pub(crate) fn meet(&mut self, key: &Digest) {
        if let Some(count) = self.keys.get_mut(key).filter(|count| **count > 0) {
            *count -= 1;
            self.rows = self.rows.saturating_sub(1);
        }
    }

    /// Rows that did not come again.
    pub(crate) fn removed(&self) -> u64 {
        self.rows
    }
}

/// What makes a folder's rows mean something else than those of `ours`, if so.
pub(crate) fn foreign(ours: &NetworkSource, finished: &Finished) -> Option<String> {
    let ours = Source::from(ours.clone());
    ours.difference(&finished.index.source).map(|difference| match difference.what {
        "backbone" | "tap" | "source" => format!("another {} ({})", difference.what, difference.got),
        what => format!("another {what}"),
    })
}

/// Why none of a folder's rows can be one of `ours`, if so.
pub(crate) fn unlike(ours: &NetworkSource, folder: &Path, finished: &Finished) -> Option<String> {
    let theirs = &finished.index.source;
    let what = foreign(ours, finished)
        .or_else(|| (ours.dtype != theirs.dtype()).then(|| format!("another dtype ({})", theirs.dtype())))
        .or_else(|| {
            theirs
                .engine()
                .filter(|engine| *engine != ours.engine)
                .map(|engine| format!("another engine ({engine})"))
        })?;
    Some(format!("`{}` has {what}: none of its rows can be reused", folder.display()))
}

/// Shards that cannot be used, if any.
pub(crate) fn unusable(folder: &Path, finished: &Finished) -> Option<String> {
    let (shard, error) = finished.unusable.first()?;
    let more = match finished.unusable.len() - 1 {
        0 => String::new(),
        more => format!(", and {} more", cli::count(more as u64)),
    };
    Some(format!("`{}`: `{shard}` {error}{more}; what is lost is run again", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_again_as_often_as_they_were_there() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|name| Digest::of(name));
        let mut replaced = Replaced { rows: 4, keys: HashMap::from([(a, 2), (b, 1)]) };
        assert_eq!(replaced.removed(), 4);
        for (key, removed) in [(a, 3), (c, 3), (a, 2), (a, 2), (b, 1)] {
            replaced.meet(&key);
            assert_eq!(replaced.removed(), removed);
        }
    }
}
