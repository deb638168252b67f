//! Tokens of texts, as networks read them.

use crate::EngineError;
use input::{Batch, Recipe, text};
use network::{By, Network, Op};
use std::ops::Range;

/// Texts whose tokens lie one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Texts<'a> {
    tokens: &'a [text::Token],
    ends: &'a [usize],
}

impl<'a> Texts<'a> {
    /// `ends[i]`: where text i ends in `tokens`, and the next begins.
    pub(crate) fn new(tokens: &'a [text::Token], ends: &'a [usize]) -> Texts<'a> {
        Texts { tokens, ends }
    }

    /// How many texts.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Of all texts.
    pub(crate) fn tokens(&self) -> &'a [text::Token] {
        self.tokens
    }

    /// Where the tokens of a text are.
    pub(crate) fn span(&self, text: usize) -> Range<usize> {
        let start = text.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[text]
    }

    pub(crate) fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.len()).map(|text| self.span(text))
    }

    /// For each token, the row that it takes of a table.
    pub(crate) fn rows(&self, by: By) -> impl Iterator<Item = usize> {
        self.spans().flat_map(move |span| {
            let start = span.start;
            span.map(move |at| match by {
                By::Token => self.tokens[at].id() as usize,
                By::Place { first } => first + at - start,
                By::Segment => usize::from(self.tokens[at].is_second()),
            })
        })
    }
}

/// The tokens of a batch, and where each text's end.
pub(crate) fn tokens_of(
    network: &Network,
    batch: Batch<'_>,
) -> Result<(Vec<text::Token>, Vec<usize>), EngineError> {
    let (tokens, ends) = text::tokens_of(batch);
    check(network, &Texts::new(&tokens, &ends))?;
    Ok((tokens, ends))
}

/// Refuses tokens that a network has no rows for, and texts without any.
fn check(network: &Network, texts: &Texts<'_>) -> Result<(), EngineError> {
    let failed = |what: String| Err(EngineError::Tokens { network: network.name().to_owned(), what });
    if texts.spans().any(|span| span.is_empty()) {
        return failed("a text has no token".to_owned());
    }
    for node in network.nodes() {
        let Op::Lookup { table, by } = node.op else { continue };
        let rows = network.param(table).shape[0];
        if let Some(row) = texts.rows(by).find(|row| *row >= rows) {
            return failed(match by {
                By::Token => format!("token {row} is not one of the {rows} that it knows"),
                By::Place { .. } => format!("a text is longer than its {rows} places"),
                By::Segment => format!("it knows {rows} kinds of segments, a pair of texts has 2"),
            });
        }
    }
    Ok(())
}

/// Whether a network and a recipe are of texts.
///
/// # Errors
/// Where one of them is, and the other of pictures.
pub(crate) fn texts_of(network: &Network, recipe: &Recipe) -> Result<bool, EngineError> {
    let name = || network.name().to_owned();
    match (network.reads_texts(), recipe) {
        (true, Recipe::Text(_)) => Ok(true),
        (false, Recipe::Image(_)) => Ok(false),
        (true, Recipe::Image(_)) => {
            Err(EngineError::OtherContent { network: name(), reads: "texts", made: "pictures" })
        }
        (false, Recipe::Text(_)) => {
            Err(EngineError::OtherContent { network: name(), reads: "pictures", made: "texts" })
        }
    }
}
