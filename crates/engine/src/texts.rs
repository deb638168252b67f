//! Tokens of texts, as networks read them.

use crate::{EngineError, fuse::narrow};
use input::{Batch, Recipe, text};
use network::{By, Network, Op, Shape};
use std::ops::Range;

/// Texts whose tokens lie one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Texts<'a> {
    tokens: &'a [text::Token],
    ends: &'a [usize],
}

impl<'a> Texts<'a> {
    /// `ends[i]`: where text i ends in `tokens`, and the next begins.
    ///
    /// # Panics
    /// Where they do not ascend to the end of `tokens`: kernels rely on it.
    pub(crate) fn new(tokens: &'a [text::Token], ends: &'a [usize]) -> Texts<'a> {
        assert!(
            ends.is_sorted() && ends.last().copied().unwrap_or(0) == tokens.len(),
            "texts are all tokens"
        );
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
        self.tokens_in(&(text..text + 1))
    }

    pub(crate) fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.len()).map(|text| self.span(text))
    }

    /// How many tokens texts that follow one another have.
    pub(crate) fn tokens_of(&self, group: &Range<usize>) -> usize {
        self.tokens_in(group).len()
    }

    /// Where the tokens of those texts are.
    fn tokens_in(&self, group: &Range<usize>) -> Range<usize> {
        let end = |text: usize| text.checked_sub(1).map_or(0, |last| self.ends[last]);
        end(group.start)..end(group.end)
    }

    /// Where they end among the tokens of those texts alone.
    pub(crate) fn ends_of(&self, group: &Range<usize>) -> Vec<usize> {
        let start = self.tokens_in(group).start;
        self.ends[group.clone()].iter().map(|end| end - start).collect()
    }

    /// These texts alone. `ends`: their [`ends_of`](Texts::ends_of).
    pub(crate) fn part<'b>(&self, group: &Range<usize>, ends: &'b [usize]) -> Texts<'b>
    where
        'a: 'b,
    {
        Texts::new(&self.tokens[self.tokens_in(group)], ends)
    }

    /// All texts in groups of about `most` tokens, as many for each of the threads. Where there is a choice, the tokens of a group
    /// fill tiles of `tile`.
    pub(crate) fn groups(&self, threads: usize, most: usize, tile: usize) -> Vec<Range<usize>> {
        let count = self.tokens.len().div_ceil(most).next_multiple_of(threads.max(1));
        let (mut groups, mut first) = (Vec::new(), 0);
        while first < self.len() {
            let left = count.saturating_sub(groups.len()).max(1);
            let target = self.tokens_of(&(first..self.len())).div_ceil(left);
            let tokens = |end: usize| self.tokens_of(&(first..end));
            let ends = || first + 1..=self.len();
            let near = ends().take_while(|end| tokens(*end) <= target + target / 4);
            // What is left of the last tile, and then how far it is from the target.
            let waste = |end: &usize| {
                let tokens = tokens(*end);
                (tokens.next_multiple_of(tile) - tokens, tokens.abs_diff(target))
            };
            let fitting = near.filter(|end| tokens(*end) >= target - target / 4).min_by_key(waste);
            // Texts that are long: as many as reach the target.
            let reached = || ends().find(|end| tokens(*end) >= target);
            let end = if left == 1 { None } else { fitting.or_else(reached) }.unwrap_or(self.len());
            groups.push(first..end);
            first = end;
        }
        groups
    }

    /// Tokens of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.spans().map(|span| span.len()).max().unwrap_or(0)
    }

    /// Where in its text each token stands, from 0.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.spans().flat_map(|span| 0..span.len()).collect()
    }

    /// For each token, the row that it takes of a table of so many rows; it may lie beyond them.
    pub(crate) fn rows(&self, by: By, count: usize) -> Vec<usize> {
        let mut rows = Vec::with_capacity(self.tokens.len());
        for span in self.spans() {
            let mut place = 0;
            rows.extend(self.tokens[span].iter().map(|token| match by {
                By::Token => token.id() as usize,
                By::Place { first, padding } if padding == Some(token.id()) => first - 1,
                By::Place { first, .. } => {
                    place += 1;
                    first + place - 1
                }
                By::Segment => usize::from(token.is_second()).min(count.saturating_sub(1)),
            }));
        }
        rows
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

/// rows: of each output a row for each window of a batch's texts → a row for each text, the mean of its windows'.
pub(crate) fn joined(batch: Batch<'_>, mut rows: Vec<Vec<f32>>, widths: &[usize]) -> Vec<Vec<f32>> {
    let windows = text::windows_of(batch);
    if windows.iter().any(|count| *count > 1) {
        for (rows, width) in rows.iter_mut().zip(widths) {
            let mut rest = rows.chunks_exact(*width);
            *rows = windows.iter().flat_map(|count| mean(rest.by_ref().take(*count), *width)).collect();
        }
    }
    rows
}

fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, width: usize) -> Vec<f32> {
    // A window alone keeps its bits: nothing is added to minus zero.
    let (mut sums, mut count) = (vec![-0.0; width], 0.0);
    for row in rows {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        count += 1.0;
    }
    sums.into_iter().map(|sum| narrow(sum / count)).collect()
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
        if let Some(row) = texts.rows(by, rows).into_iter().find(|row| *row >= rows) {
            return failed(match by {
                By::Place { .. } => format!("a text is longer than its {rows} places"),
                _ => format!("token {row} is not one of the {rows} that it knows"),
            });
        }
    }
    Ok(())
}

/// Refuses texts that are longer than a network's places, other tokenizers, and outputs that are no vectors.
fn check_fits(network: &Network, how: &text::Tokenisation) -> Result<(), EngineError> {
    let failed = |what: String| Err(EngineError::Tokens { network: network.name().to_owned(), what });
    let shapes = network.shapes(1, 1)?;
    if network.outputs().iter().any(|output| !matches!(shapes[output.index()], Shape::Vector(_))) {
        return failed("what it gives is not one vector for each".to_owned());
    }
    for node in network.nodes() {
        let Op::Lookup { table, by } = node.op else { continue };
        let rows = network.param(table).shape[0];
        match by {
            By::Place { first, .. } if how.max_tokens().saturating_add(first) > rows => {
                return failed(format!(
                    "it has places for {} tokens, texts have up to {}",
                    rows.saturating_sub(first),
                    how.max_tokens()
                ));
            }
            By::Token if how.tokenizer().is_some_and(|tokenizer| tokenizer.vocabulary() > rows) => {
                return failed(format!("it knows {rows} tokens, and the tokenizer more"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a network and a recipe are of texts. Outputs are vectors then.
///
/// # Errors
/// Where the network is, and the recipe of pictures.
pub(crate) fn texts_of(network: &Network, recipe: &Recipe) -> Result<bool, EngineError> {
    match (network.reads_texts(), recipe) {
        (true, Recipe::Text(how)) => {
            check_fits(network, how)?;
            Ok(true)
        }
        (true, Recipe::Image(_)) => {
            let network = network.name().to_owned();
            Err(EngineError::OtherContent { network, reads: "texts", made: "pictures" })
        }
        // Whoever reads pictures asks `pictures_of`, which refuses texts.
        (false, _) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use input::{Inputs, text::Token};

    #[test]
    fn groups_are_all_texts_in_their_order() {
        let tokens = vec![Token::new(1, false); 4000];
        let groups = |lengths: &[usize], threads, most| {
            let ends: Vec<usize> = (1..=lengths.len()).map(|count| lengths[..count].iter().sum()).collect();
            let texts = Texts::new(&tokens[..ends.last().copied().unwrap_or(0)], &ends);
            let groups = texts.groups(threads, most, 12);
            let all: Vec<usize> = groups.iter().cloned().flatten().collect();
            assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
            groups.iter().map(|group| texts.tokens_of(group)).collect::<Vec<_>>()
        };
        // As many for each thread.
        assert_eq!(groups(&[10; 96], 2, 192), [180, 180, 120, 180, 120, 180]);
        assert_eq!(groups(&[6; 64], 4, 192), [96; 4]);
        // Where tiles are filled, though it is not quite the target.
        assert_eq!(groups(&[50, 41, 5, 50, 46, 50, 46], 3, 96), [96, 96, 96]);
        assert_eq!(groups(&[16; 24], 2, 192), [192, 192]);
        // Of long texts as many as reach the target.
        assert_eq!(groups(&[500, 3, 500, 500], 2, 192), [500, 503, 500]);
        assert_eq!(groups(&[7], 2, 192), [7]);
        assert!(groups(&[], 2, 192).is_empty());
    }

    #[test]
    fn a_text_in_windows_is_their_mean() {
        let text = |id: u32| Token::new(id, false).bytes().to_vec();
        let opening = (1_u32 << 30 | 7).to_le_bytes().to_vec();
        let inputs = Inputs::of([text(1), [text(2), opening].concat(), text(3)]);
        let rows = vec![vec![-0.0, 5.0, 1.0, 2.0, 2.0, 8.0, 0.5, 0.25], vec![1.0, 2.0, 4.0, 9.0]];
        let joined = joined(inputs.batch(), rows, &[2, 1]);
        assert_eq!(joined, [vec![-0.0, 5.0, 1.5, 5.0, 0.5, 0.25], vec![1.0, 3.0, 9.0]]);
        assert!(joined[0][0].is_sign_negative());
    }
}
