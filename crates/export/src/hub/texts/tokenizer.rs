//! A tokenizer as transformers reads it: its file as it is, and beside it what the file does not say.

use anyhow::{Context, Result, bail};
use input::text::Tokenisation;
use network::{By, Network, Op};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const FILE: &str = "tokenizer.json";
pub(super) const CONFIG: &str = "tokenizer_config.json";

/// What transformers' tokenizers cannot be told, by the recipe's keys.
const NOT_TOLD: [(&str, &str); 3] = [
    ("prompt", "a prompt is put before every text"),
    ("stride", "long texts are read in windows"),
    ("bare", "texts of a table of tokens are read without what its tokenizer adds"),
];

/// Both files.
pub(super) struct Files {
    pub(super) bytes: Vec<u8>,
    pub(super) config: Value,
}

/// Of `tokenizer.json`.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    added_tokens: Vec<Added>,
    model: Model,
}

/// A token that is found in a text as it stands.
#[derive(Deserialize)]
struct Added {
    id: u64,
    content: String,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    vocab: Value,
}

/// Refuses what transformers' tokenizers do not do by themselves.
///
/// # Errors
/// Where texts are read so.
pub(super) fn refuse(how: &Tokenisation) -> Result<()> {
    let recipe = serde_json::to_value(how)?;
    let known = ["tokenizer", "max_tokens"];
    let other = recipe.as_object().and_then(|keys| keys.keys().find(|key| !known.contains(&key.as_str())));
    let Some(key) = other else { return Ok(()) };
    let told = NOT_TOLD.iter().find(|(known, _)| known == key).map(|(_, told)| *told);
    bail!(
        "{}, which transformers' pipeline does not do; --to bundle does it, and --to onnx says it",
        told.map_or_else(|| format!("texts are read with `{key}`"), str::to_owned)
    )
}

impl Files {
    /// # Errors
    /// Where the tokenizer is not at hand, or has no token that the network needs for padding.
    pub(super) fn of(how: &Tokenisation, network: &Network) -> Result<Files> {
        let tokenizer = how.tokenizer().context("the head's tokenizer is not at hand")?;
        let said: Said = serde_json::from_slice(tokenizer.bytes())?;
        let mut names = vec!["input_ids", "attention_mask"];
        if tells_segments(network) {
            names.insert(1, "token_type_ids");
        }
        let mut config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": how.max_tokens(),
            "model_input_names": names,
            "padding_side": "right",
            "truncation_side": "right",
            "clean_up_tokenization_spaces": false,
        });
        if let Some(token) = said.padding(padding(network))? {
            config["pad_token"] = token.into();
        }
        Ok(Files { bytes: tokenizer.bytes().to_vec(), config })
    }
}

impl Said {
    /// What texts are filled up with. Masks hide it, so that any will do where the network does not tell it from others by its
    /// number, `needed`; but none that a text may hold. `None`: one text at a time.
    fn padding(&self, needed: Option<u32>) -> Result<Option<&str>> {
        if let Some(id) = needed {
            let found = self.token(u64::from(id));
            return found.map(Some).with_context(|| {
                format!("the network pads with token {id}, which its tokenizer does not have")
            });
        }
        let is_named = |name: &&str| name.to_lowercase().contains("pad");
        let special =
            || self.added_tokens.iter().filter(|token| token.special).map(|token| token.content.as_str());
        let known = ["[PAD]", "<pad>"].into_iter().find(|name| self.model.vocab.get(name).is_some());
        Ok(special().find(is_named).or(known).or_else(|| special().next()))
    }

    fn token(&self, id: u64) -> Option<&str> {
        if let Some(token) = self.added_tokens.iter().find(|token| token.id == id) {
            return Some(&token.content);
        }
        match &self.model.vocab {
            Value::Object(ids) => {
                ids.iter().find(|(_, known)| known.as_u64() == Some(id)).map(|(token, _)| token.as_str())
            }
            // Of Unigram, with their scores.
            Value::Array(tokens) => tokens.get(usize::try_from(id).ok()?)?.get(0)?.as_str(),
            _ => None,
        }
    }
}

/// The padding that the network tells from other tokens, since it has no place.
fn padding(network: &Network) -> Option<u32> {
    network.nodes().iter().find_map(|node| match node.op {
        Op::Lookup { by: By::Place { padding, .. }, .. } => padding,
        _ => None,
    })
}

/// Whether the network tells the texts of a pair apart.
fn tells_segments(network: &Network) -> bool {
    let rows = |node: &network::Node| match node.op {
        Op::Lookup { table, by: By::Segment } => network.param(table).shape[0],
        _ => 0,
    };
    network.nodes().iter().any(|node| rows(node) > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(added: &str, vocab: &str) -> Said {
        serde_json::from_str(&format!(r#"{{"added_tokens": [{added}], "model": {{"vocab": {vocab}}}}}"#))
            .unwrap()
    }

    #[test]
    fn padding_is_a_token_that_no_text_holds() {
        let token = |id: u64, name: &str, special: bool| {
            format!(r#"{{"id": {id}, "content": "{name}", "special": {special}}}"#)
        };
        let words = r#"{"the": 0, "[PAD]": 1}"#;
        let two = format!("{}, {}", token(5, "</s>", true), token(6, "<|PAD|>", true));
        for (said, needed, expected) in [
            (said(&two, words), None, Some("<|PAD|>")),
            (said(&token(5, "</s>", true), words), None, Some("[PAD]")),
            (said(&token(5, "</s>", true), "{}"), None, Some("</s>")),
            (said(&token(5, "the", false), "{}"), None, None),
            (said("", words), Some(0), Some("the")),
            (said(&two, words), Some(5), Some("</s>")),
            (said("", r#"[["<s>", 0.0], ["<pad>", -1.0]]"#), Some(1), Some("<pad>")),
        ] {
            assert_eq!(said.padding(needed).unwrap(), expected);
        }
        let told = said("", words).padding(Some(9)).unwrap_err().to_string();
        assert!(told.contains("pads with token 9"), "{told}");
    }
}
