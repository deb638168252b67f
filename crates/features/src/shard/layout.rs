//! The archives of all formats, as one set of columns.

use super::{ArchivedLine, ArchivedShardColumns, ArchivedTextColumn, Line};
use rkyv::{Archive, rancor, rend::u32_le, string::ArchivedString};

/// Which archive a shard holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Format 1: a class a row.
    Labelled,
    /// Format 2: a class and a view a row.
    Viewed,
    /// Format 3.
    Columns,
}

/// Format 1.
#[derive(Archive)]
struct Labelled {
    dim: u64,
    dtype: u8,
    features: Vec<Line>,
    ids: Vec<String>,
    labels: Vec<u32>,
    splits: Vec<u8>,
    keys: Vec<[u8; 32]>,
}

/// Format 2.
#[derive(Archive)]
#[expect(dead_code, reason = "only its archive is read")]
struct Viewed {
    columns: Labelled,
    views: Vec<u32>,
}

/// What any archive holds.
pub(super) struct Parts<'a> {
    pub(super) dim: u64,
    pub(super) dtype: u8,
    pub(super) features: &'a [ArchivedLine],
    pub(super) ids: &'a [ArchivedString],
    pub(super) splits: &'a [u8],
    pub(super) keys: &'a [[u8; 32]],
    pub(super) views: Option<&'a [u32_le]>,
    pub(super) texts: &'a [ArchivedTextColumn],
    pub(super) labels: Option<&'a [u32_le]>,
}

impl Layout {
    /// That of a format's version.
    pub(super) fn of(version: u32) -> Option<Layout> {
        match version {
            1 => Some(Layout::Labelled),
            2 => Some(Layout::Viewed),
            3 => Some(Layout::Columns),
            _ => None,
        }
    }

    /// Checks an archive's structure in full.
    pub(super) fn parts(self, archive: &[u8]) -> Result<Parts<'_>, rancor::Error> {
        Ok(match self {
            Layout::Labelled => rkyv::access::<ArchivedLabelled, rancor::Error>(archive)?.parts(None),
            Layout::Viewed => rkyv::access::<ArchivedViewed, rancor::Error>(archive)?.parts(),
            Layout::Columns => rkyv::access::<ArchivedShardColumns, rancor::Error>(archive)?.parts(),
        })
    }

    /// The same of an archive that [`Layout::parts`] has checked.
    ///
    /// # Safety
    /// `archive` must be bytes that [`Layout::parts`] accepted as this layout.
    pub(super) unsafe fn parts_unchecked(self, archive: &[u8]) -> Parts<'_> {
        // SAFETY: the caller's promise is what `access_unchecked` asks for.
        unsafe {
            match self {
                Layout::Labelled => rkyv::access_unchecked::<ArchivedLabelled>(archive).parts(None),
                Layout::Viewed => rkyv::access_unchecked::<ArchivedViewed>(archive).parts(),
                Layout::Columns => rkyv::access_unchecked::<ArchivedShardColumns>(archive).parts(),
            }
        }
    }
}

impl ArchivedLabelled {
    fn parts<'a>(&'a self, views: Option<&'a [u32_le]>) -> Parts<'a> {
        Parts {
            dim: self.dim.to_native(),
            dtype: self.dtype,
            features: &self.features,
            ids: &self.ids,
            splits: &self.splits,
            keys: &self.keys,
            views,
            texts: &[],
            labels: Some(&self.labels),
        }
    }
}

impl ArchivedViewed {
    fn parts(&self) -> Parts<'_> {
        self.columns.parts(Some(&self.views))
    }
}

impl ArchivedShardColumns {
    fn parts(&self) -> Parts<'_> {
        Parts {
            dim: self.dim.to_native(),
            dtype: self.dtype,
            features: &self.features,
            ids: &self.ids,
            splits: &self.splits,
            keys: &self.keys,
            views: (!self.views.is_empty()).then_some(&self.views),
            texts: &self.texts,
            labels: None,
        }
    }
}
