//! The body of an answer, in full or not at all.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use store::brief;

/// What a server answered.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    /// One row a text, in the order of the texts; all of one width.
    pub(crate) rows: Vec<Vec<f32>>,
    /// Tokens that it counts, where it says so.
    pub(crate) tokens: u64,
}

/// A body that holds no rows.
#[derive(Debug, PartialEq)]
pub(crate) enum Unusable {
    /// It ends too early: the connection did.
    Cut,
    /// What is wrong.
    Wrong(String),
}

#[derive(Deserialize)]
struct Body {
    data: Vec<Item>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Embedding,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Embedding {
    Numbers(Vec<f32>),
    /// f32, little-endian.
    Base64(String),
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
    prompt_tokens: Option<u64>,
}

impl Reply {
    /// Reads the answer to a question for so many texts.
    ///
    /// # Errors
    /// Where it holds anything else than one row of finite numbers for each.
    pub(crate) fn read(body: &[u8], texts: usize) -> Result<Reply, Unusable> {
        let wrong = |reason: String| Unusable::Wrong(reason);
        let Body { data, usage } = serde_json::from_slice(body).map_err(|error| match error.is_eof() {
            true => Unusable::Cut,
            false => wrong(format!("it sends no embeddings ({})", brief::told(&error))),
        })?;
        if data.len() != texts {
            return Err(wrong(format!("it sends {} embeddings for {texts} texts", data.len())));
        }
        let mut rows: Vec<Option<Vec<f32>>> = vec![None; texts];
        for (place, Item { index, embedding }) in data.into_iter().enumerate() {
            let at = index.unwrap_or(place);
            let row =
                embedding.numbers().ok_or_else(|| wrong("an embedding is no base64 of f32".to_owned()))?;
            if row.is_empty() || row.iter().any(|value| !value.is_finite()) {
                return Err(wrong(format!("the embedding of text {at} is not of finite numbers")));
            }
            match rows.get_mut(at) {
                Some(free @ None) => *free = Some(row),
                _ => return Err(wrong(format!("index {at} is there twice, or is that of no text"))),
            }
        }
        let rows: Vec<Vec<f32>> = rows.into_iter().flatten().collect();
        if let Some(other) = rows.iter().find(|row| row.len() != rows[0].len()) {
            let (one, other) = (rows[0].len(), other.len());
            return Err(wrong(format!("it sends embeddings of {one} and of {other} numbers")));
        }
        let tokens = usage.and_then(|usage| usage.total_tokens.or(usage.prompt_tokens)).unwrap_or(0);
        Ok(Reply { rows, tokens })
    }
}

impl Embedding {
    fn numbers(self) -> Option<Vec<f32>> {
        match self {
            Embedding::Numbers(numbers) => Some(numbers),
            Embedding::Base64(text) => {
                let bytes = BASE64_STANDARD.decode(text).ok()?;
                let (numbers, rest) = bytes.as_chunks::<4>();
                rest.is_empty().then(|| numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, texts: usize) -> Result<Vec<Vec<f32>>, String> {
        Reply::read(body.as_bytes(), texts).map(|reply| reply.rows).map_err(|why| match why {
            Unusable::Cut => "cut".to_owned(),
            Unusable::Wrong(reason) => reason,
        })
    }

    #[test]
    fn rows_come_in_the_order_of_the_texts() {
        let body = r#"{"object": "list", "data": [{"index": 1, "embedding": [3, 4.5]},
            {"index": 0, "embedding": "AACAPwAAAEA=", "object": "embedding"}], "usage": {"prompt_tokens": 7}}"#;
        let reply = Reply::read(body.as_bytes(), 2).unwrap();
        assert_eq!(reply, Reply { rows: vec![vec![1.0, 2.0], vec![3.0, 4.5]], tokens: 7 });
        assert_eq!(
            read(r#"{"data": [{"embedding": [1]}, {"embedding": [2]}]}"#, 2),
            Ok(vec![vec![1.0], vec![2.0]])
        );
        for end in 0..body.len() - 1 {
            assert!(read(&body[..end], 2).is_err(), "{end}");
        }
        assert_eq!(read(&body[..60], 2), Err("cut".to_owned()));
    }

    #[test]
    fn anything_else_is_told() {
        for (body, expected) in [
            (r#"{"error": "no"}"#, "it sends no embeddings (missing field `data`"),
            ("<html>", "it sends no embeddings (expected value"),
            (r#"{"data": [{"embedding": [1]}]}"#, "it sends 1 embeddings for 2 texts"),
            (r#"{"data": [{"embedding": [1]}, {"embedding": [1, 2]}]}"#, "of 1 and of 2 numbers"),
            (
                r#"{"data": [{"index": 1, "embedding": [1]}, {"index": 1, "embedding": [1]}]}"#,
                "index 1 is there twice",
            ),
            (
                r#"{"data": [{"index": 0, "embedding": [1]}, {"index": 2, "embedding": [1]}]}"#,
                "is that of no text",
            ),
            (r#"{"data": [{"embedding": [1e39]}, {"embedding": [1]}]}"#, "text 0 is not of finite numbers"),
            (r#"{"data": [{"embedding": []}, {"embedding": []}]}"#, "text 0 is not of finite numbers"),
            (r#"{"data": [{"embedding": [null]}, {"embedding": [1]}]}"#, "it sends no embeddings"),
            (r#"{"data": [{"embedding": "AAA"}, {"embedding": [1]}]}"#, "no base64 of f32"),
            (r#"{"data": [{"embedding": "AACAfw=="}, {"embedding": [1]}]}"#, "not of finite numbers"),
        ] {
            let message = read(body, 2).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_server_sends_is_rows_or_a_reason(body in r#"(\{"data": \[)?(\{"embedding": \[?"?[0-9eA,.=-]{0,9}"?\]?,?\}?,?){0,3}(\]\})?|.{0,30}"#) {
            if let Ok(rows) = read(&body, 2) {
                proptest::prop_assert!(rows.len() == 2 && rows[0].len() == rows[1].len());
            }
        }
    }
}
