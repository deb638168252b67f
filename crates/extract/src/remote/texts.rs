//! All texts of a data set, by their digests.

use super::{Context, Result};
use endpoint::{Journal, Wanted, text_of};
use input::{BadInput, MOST_FILE};
use pipeline::Reason;
use sample::DataSet;
use std::collections::HashMap;
use store::Digest;

/// What is known of each sample before anything is asked.
pub(super) struct Texts {
    /// Nothing of those that cannot be used.
    samples: Vec<Option<Read>>,
    /// The samples of each text, the first of them first.
    alike: HashMap<Digest, Vec<usize>>,
}

/// A sample whose text can be sent.
#[derive(Clone, Copy)]
pub(super) struct Read {
    /// Of its bytes.
    pub(super) content: Digest,
    /// Of what is sent.
    pub(super) text: Digest,
    bytes: u64,
}

impl Texts {
    /// Reads every sample once. `skip` is told of those that cannot be used.
    ///
    /// # Errors
    /// Those of `skip`.
    pub(super) fn read(data: &DataSet, skip: &mut dyn FnMut(&str, &Reason) -> Result<()>) -> Result<Texts> {
        let mut texts = Texts {
            samples: Vec::with_capacity(data.samples.len()),
            alike: HashMap::with_capacity(data.samples.len()),
        };
        for (at, sample) in data.samples.iter().enumerate() {
            let read = sample.content.read(MOST_FILE).map_err(Reason::from).and_then(|bytes| {
                let text = text_of(&bytes).map_err(BadInput::from)?;
                let (content, digest) = (Digest::of(&bytes), Digest::of(text.as_bytes()));
                Ok(Read { content, text: digest, bytes: text.len() as u64 })
            });
            match read {
                Ok(read) => {
                    texts.alike.entry(read.text).or_default().push(at);
                    texts.samples.push(Some(read));
                }
                Err(reason) => {
                    skip(&sample.id, &reason)?;
                    texts.samples.push(None);
                }
            }
        }
        Ok(texts)
    }

    /// Whether none can be used.
    pub(super) fn is_empty(&self) -> bool {
        self.alike.is_empty()
    }

    /// How many different texts there are.
    pub(super) fn different(&self) -> usize {
        self.alike.len()
    }

    /// The samples that can be used, with their places.
    pub(super) fn usable(&self) -> impl Iterator<Item = (usize, Read)> {
        self.samples.iter().enumerate().filter_map(|(at, read)| Some((at, (*read)?)))
    }

    /// Each text that has no answer, once, by the first sample that has it.
    pub(super) fn wanted(&self, journal: &Journal) -> Vec<Wanted> {
        let first = self.usable().filter(|(at, read)| self.alike[&read.text][0] == *at);
        first
            .filter(|(_, read)| !journal.has(&read.text))
            .map(|(at, read)| Wanted { digest: read.text, text: at })
            .collect()
    }

    /// Bytes of a sample's text.
    pub(super) fn bytes(&self, sample: usize) -> u64 {
        self.samples[sample].map_or(0, |read| read.bytes)
    }

    /// All samples of that sample's text.
    pub(super) fn alike(&self, sample: usize) -> impl Iterator<Item = usize> {
        let samples = self.samples[sample].and_then(|read| self.alike.get(&read.text));
        samples.into_iter().flatten().copied()
    }

    /// A sample's text, read again.
    ///
    /// # Errors
    /// Where it cannot be read, or has changed since.
    pub(super) fn text(&self, data: &DataSet, sample: usize) -> Result<String> {
        let of = &data.samples[sample];
        let told = || format!("`{}` cannot be read any more", of.id);
        let bytes = of.content.read(MOST_FILE).with_context(told)?;
        let text = text_of(&bytes).with_context(told)?;
        let same = self.samples[sample].is_some_and(|read| read.text == Digest::of(text.as_bytes()));
        anyhow::ensure!(same, "`{}` was changed while this ran; run it again", of.id);
        Ok(text.to_owned())
    }
}
