//! Samples that go through the kernels together, and what kernels are told of texts: where each begins, which queries are a
//! tile, and which rows of tables tokens take.

use super::{arguments::QueryTile, products::whole};
use crate::{
    EngineError,
    texts::{Texts, tokens_of},
};
use input::{Batch, text::Token};
use network::{By, Network};

/// Queries of a tile, as `kernels/text_attention.cu` has it.
const QUERIES: usize = 64;

/// Samples that go through the kernels together. Of a picture there is one unit, of a text one for each of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Samples of the batch before these.
    pub(crate) first: usize,
    pub(crate) samples: usize,
    pub(crate) units: usize,
    /// Tiles of queries.
    pub(crate) tiles: usize,
    /// Where its arrays begin among the batch's, in bytes.
    at: usize,
}

impl Part {
    /// A whole batch of pictures.
    pub(crate) fn of_pictures(n: usize) -> Part {
        Part { first: 0, samples: n, units: n, tiles: 0, at: 0 }
    }

    /// Where texts begin, and the last one ends: (samples + 1,) i32.
    pub(crate) fn starts(&self) -> usize {
        self.at
    }

    /// Tiles of queries.
    pub(crate) fn query_tiles(&self) -> usize {
        self.at + length(self.samples + 1)
    }

    /// The rows that tokens take of a table: (units,) i32.
    pub(crate) fn rows(&self, table: usize) -> usize {
        self.query_tiles() + self.tiles * size_of::<QueryTile>() + table * length(self.units)
    }
}

/// What reads texts.
pub(crate) struct Reader {
    /// Says which tokens there are; without its weights.
    pub(crate) network: Network,
    /// Tokens that it reads at a time, at most: as many as it has angles for.
    pub(crate) most: usize,
}

impl Reader {
    /// The tokens of a batch, and where each text's end, or each window's.
    pub(crate) fn read(&self, batch: Batch<'_>) -> Result<(Vec<Token>, Vec<usize>), EngineError> {
        let (tokens, ends) = tokens_of(&self.network, batch)?;
        let longest = Texts::new(&tokens, &ends).longest();
        if longest > self.most { Err(self.too_long(longest, self.most)) } else { Ok((tokens, ends)) }
    }

    /// Refuses texts of more bytes than a buffer has for each.
    pub(crate) fn check_bytes(&self, batch: Batch<'_>, most: usize) -> Result<(), EngineError> {
        let starts = std::iter::once(&0).chain(batch.ends());
        let lengths = batch.ends().iter().zip(starts).map(|(end, start)| end - start);
        let longest = lengths.max().unwrap_or(0);
        let tokens = |bytes: usize| bytes / size_of::<Token>();
        if longest > most { Err(self.too_long(tokens(longest), tokens(most))) } else { Ok(()) }
    }

    fn too_long(&self, tokens: usize, most: usize) -> EngineError {
        EngineError::Tokens {
            network: self.network.name().to_owned(),
            what: format!("a text has {tokens} tokens, and its recipe makes up to {most}"),
        }
    }

    /// Refuses texts of more tokens than there is memory for, of so many bytes a token.
    pub(crate) fn check_room(&self, texts: &Texts<'_>, most: usize, each: usize) -> Result<(), EngineError> {
        let tokens = texts.longest();
        if tokens <= most {
            return Ok(());
        }
        let mebibytes = each.saturating_mul(tokens) >> 20;
        Err(EngineError::OutOfMemoryForText { network: self.network.name().to_owned(), tokens, mebibytes })
    }
}

/// Bytes of so many i32, up to where something else may begin.
fn length(count: usize) -> usize {
    (count * size_of::<i32>()).next_multiple_of(16)
}

/// Texts in parts of at most `most` tokens, unless one text has more, and the arrays of all parts one after the other. tables:
/// which rows tokens take, of a table of so many.
pub(crate) fn lay_out(texts: &Texts<'_>, tables: &[(By, usize)], most: usize) -> (Vec<Part>, Vec<u8>) {
    let (mut parts, mut bytes, mut first) = (Vec::new(), Vec::new(), 0);
    while first < texts.len() {
        let start = texts.span(first).start;
        let fitting = (first..texts.len()).take_while(|text| texts.span(*text).end - start <= most);
        let samples = fitting.count().max(1);
        let ends: Vec<usize> = (first..first + samples).map(|text| texts.span(text).end - start).collect();
        let units = ends[samples - 1];
        let own = Texts::new(&texts.tokens()[start..start + units], &ends);
        let tiles = query_tiles(&own);
        let part = Part { first, samples, units, tiles: tiles.len(), at: bytes.len() };
        let mut put = |array: &[u8]| {
            bytes.extend_from_slice(array);
            bytes.resize(bytes.len().next_multiple_of(16), 0);
        };
        let counts = |counts: &mut dyn Iterator<Item = usize>| counts.map(whole).collect::<Vec<i32>>();
        put(bytemuck::cast_slice(&counts(&mut [0].into_iter().chain(ends.iter().copied()))));
        put(bytemuck::cast_slice(&tiles));
        for (by, count) in tables {
            put(bytemuck::cast_slice(&counts(&mut own.rows(*by, *count).into_iter())));
        }
        parts.push(part);
        first += samples;
    }
    (parts, bytes)
}

fn query_tiles(texts: &Texts<'_>) -> Vec<QueryTile> {
    let of_text = |span: std::ops::Range<usize>| {
        let (start, tokens) = (whole(span.start), whole(span.len()));
        let tile = move |query| QueryTile { start, tokens, query: whole(query), unused: 0 };
        (0..span.len()).step_by(QUERIES).map(tile)
    };
    texts.spans().flat_map(of_text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use input::text::Token;

    #[test]
    fn arrays_lie_where_parts_say() {
        let tokens: Vec<Token> = (0..100).map(|id| Token::new(id, false)).collect();
        let texts = Texts::new(&tokens, &[3, 4, 84, 86, 100]);
        let tables = [(By::Token, 100), (By::Place { first: 2, padding: None }, 200)];
        let (parts, bytes) = lay_out(&texts, &tables, 20);
        let array = |at: usize, count: usize| -> &[i32] { bytemuck::cast_slice(&bytes[at..at + 4 * count]) };
        let seen: Vec<_> =
            parts.iter().map(|part| (part.first, part.samples, part.units, part.tiles)).collect();
        // The third text alone has more.
        assert_eq!(seen, [(0, 2, 4, 2), (2, 1, 80, 2), (3, 2, 16, 2)]);
        assert_eq!(array(parts[0].starts(), 3), [0, 3, 4]);
        assert_eq!(array(parts[0].rows(1), 4), [2, 3, 4, 2]);
        assert_eq!(array(parts[1].query_tiles(), 8), [0, 80, 0, 0, 0, 80, 64, 0]);
        assert_eq!(array(parts[2].query_tiles(), 8), [0, 2, 0, 0, 2, 14, 0, 0]);
        assert_eq!(array(parts[2].rows(0), 16), (84..100).collect::<Vec<_>>());
        assert_eq!(parts[2].rows(2), bytes.len());
    }
}
