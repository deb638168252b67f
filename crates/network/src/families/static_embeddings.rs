//! Tables of tokens, whose rows are averaged: model2vec's (Tulkens and van Dongen, 2024), and sentence-transformers'
//! `StaticEmbedding`. No network is faster.

use super::{
    Family,
    text::{self, Pooling, Sentence},
};
use crate::{Builder, By, Network, entry::Entry};
use input::{
    Recipe,
    text::{Bare, Tokenisation, Tokenizer},
};
use std::sync::LazyLock;

/// What artefacts call a table that somebody gave.
pub const NAME: &str = "static_embeddings";

/// The one that comes with Headstart; others are known by their folders, and not by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[Entry {
        name: "headstart_words",
        home: "torchvision",
        tags: &[],
        build: |name| WORDS.network(name, true),
        default_tap: "sentence",
        recipe: words,
        weights: Some(include_bytes!("../../../../data/words/headstart_words.safetensors")),
    }],
    dialects: &[],
};

/// The embedded table; how it was learnt is told in `data/words/`.
const WORDS: StaticEmbeddings = StaticEmbeddings { vocabulary: 8192, width: 96 };

/// How its texts become tokens.
fn words() -> Recipe {
    static RECIPE: LazyLock<Recipe> = LazyLock::new(|| {
        let tokenizer = include_bytes!("../../../../data/words/tokenizer.json").to_vec();
        let bare = Bare { keeps_unknown: false, characters_per_token: None };
        let how = Tokenizer::of(tokenizer)
            .and_then(|tokenizer| Tokenisation::bare(tokenizer, 512, String::new(), bare));
        Recipe::Text(how.expect("tests read the embedded tokenizer"))
    });
    RECIPE.clone()
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticEmbeddings {
    /// Tokens that it knows.
    pub vocabulary: usize,
    /// d
    pub width: usize,
}

impl StaticEmbeddings {
    /// Its graph. Taps: `mean`, `max`, and `sentence`: the mean, over its length where it is `normalized`.
    pub fn network(&self, name: &str, normalized: bool) -> Network {
        let mut net = Builder::text();
        let tokens = net.lookup("embedding", By::Token, (self.vocabulary, self.width));
        let sentence = Sentence { pooling: vec![Pooling::Mean], dense: Vec::new(), normalized };
        // A token is of no other use than any: there is no first, and no last.
        let vector = text::taps_of(&mut net, tokens, &[Pooling::Mean, Pooling::Max], Some(&sentence));
        net.finish(name, vector)
    }
}
