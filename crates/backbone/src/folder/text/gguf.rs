//! Files of llama.cpp's: GGUF, whose metadata describe the network and hold the tokenizer.

use super::{
    super::{Config, Described},
    Built, OTHERS, llama,
    tokenizer::check_rows,
};
use crate::BackboneError;
use input::{
    Recipe,
    text::{ByteLevel, Split, Tokenisation, Tokenizer, TokenizerError},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// The kinds of networks that are built of such files.
const KINDS: &str =
    "of GGUF files llama, qwen2 and qwen3 are built; take the model as a folder of the Hugging Face hub";

/// What to do where a tokenizer is not made of the file's.
const PUT_ONE: &str = "put the model's tokenizer.json beside the file";

/// Metadata, by ggml's keys.
struct Said<'a> {
    path: &'a Path,
    values: BTreeMap<String, Value>,
    /// Before the keys of the network's sizes.
    kind: String,
}

/// The network and the tokenizer of a file; `None` where it is no GGUF file, or says nothing of its network.
///
/// # Errors
/// Where the file is damaged, or says what is not built.
pub(in crate::folder) fn describe(path: &Path) -> Result<Option<Described>, BackboneError> {
    let Some(said) = said(path)? else { return Ok(None) };
    let config = said.config()?;
    let Built { vocabulary, places, build } = llama::read(&config, &said.kind)?;
    let tokenizer = said.tokenizer()?;
    check_rows(&tokenizer, vocabulary, path)?;
    let how = Tokenisation::new(tokenizer, places, String::new()).map_err(|reason| config.wrong(reason))?;
    Ok(Some(Described {
        network: build(&said.kind, None),
        name: said.kind,
        default_tap: "mean".to_owned(),
        recipe: Some(Recipe::Text(how)),
        dense: Vec::new(),
        config: path.to_owned(),
    }))
}

/// What transformers' `config.json` would say of the network of a file; `None` as for [`describe`].
pub(super) fn config(path: &Path) -> Result<Option<Value>, BackboneError> {
    let Some(said) = said(path)? else { return Ok(None) };
    let mut config = said.config()?.value;
    config["model_type"] = said.kind.into();
    Ok(Some(config))
}

fn said(path: &Path) -> Result<Option<Said<'_>>, BackboneError> {
    let Some(values) = weights::gguf_metadata(path)? else { return Ok(None) };
    let Some(kind) = values.get("general.architecture").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(None);
    };
    // Whoever names tensors by hand may write any architecture, and no size.
    let is_sized = values.contains_key(&format!("{kind}.block_count"));
    Ok(is_sized.then_some(Said { path, values, kind }))
}

impl Said<'_> {
    /// What transformers would say of the same network.
    fn config(&self) -> Result<Config, BackboneError> {
        let config = |value| Config { path: self.path.to_owned(), value };
        // llama.cpp turns neighbours in a Llama, and halves in a Qwen.
        let interleaves = match self.kind.as_str() {
            "llama" => true,
            "qwen2" | "qwen3" => false,
            other => {
                return Err(config(Value::Null).unknown("the architecture", other, KINDS));
            }
        };
        let keys = [
            ("hidden_size", "embedding_length"),
            ("intermediate_size", "feed_forward_length"),
            ("num_hidden_layers", "block_count"),
            ("num_attention_heads", "attention.head_count"),
            ("num_key_value_heads", "attention.head_count_kv"),
            ("head_dim", "attention.key_length"),
            ("max_position_embeddings", "context_length"),
            ("rms_norm_eps", "attention.layer_norm_rms_epsilon"),
            ("rope_theta", "rope.freq_base"),
        ];
        let mut value = json!({"rope_interleave": interleaves});
        for (theirs, ours) in keys {
            if let Some(said) = self.values.get(&format!("{}.{ours}", self.kind)) {
                value[theirs] = said.clone();
            }
        }
        let tokens = self.values.get("tokenizer.ggml.tokens").and_then(Value::as_array).map(Vec::len);
        value["vocab_size"] = json!(self.number("vocab_size").or(tokens));
        let config = config(value);
        // Llama 3.1's slower angles are a tensor there, `rope_freqs.weight`, which is refused as one too many.
        let scaling = self.values.get(&format!("{}.rope.scaling.type", self.kind)).and_then(Value::as_str);
        if let Some(other) = scaling.filter(|kind| *kind != "none") {
            return Err(config.unknown("`rope.scaling.type`", other, OTHERS));
        }
        let depth = self.number("embedding_length").zip(self.number("attention.head_count"));
        let depth = self.number("attention.key_length").or(depth.map(|(width, heads)| width / heads.max(1)));
        let turned = self.number("rope.dimension_count");
        match turned.filter(|turned| depth.is_some_and(|depth| depth != *turned)) {
            Some(part) => Err(config.unknown("`rope.dimension_count`", &part.to_string(), OTHERS)),
            None => Ok(config),
        }
    }

    /// A size of the network's.
    fn number(&self, key: &str) -> Option<usize> {
        let said = self.values.get(&format!("{}.{key}", self.kind))?.as_u64()?;
        usize::try_from(said).ok()
    }

    /// The `tokenizer.json` beside the file, or else what its metadata say.
    fn tokenizer(&self) -> Result<Tokenizer, BackboneError> {
        match Tokenizer::beside(self.path.parent().unwrap_or(Path::new("."))) {
            Err(TokenizerError::Missing(_)) => self.own_tokenizer(),
            tokenizer => Ok(tokenizer?),
        }
    }

    fn own_tokenizer(&self) -> Result<Tokenizer, BackboneError> {
        let config = Config { path: self.path.to_owned(), value: Value::Null };
        let key = |key: &str| self.values.get(&format!("tokenizer.ggml.{key}"));
        let text = |name: &str| key(name).and_then(Value::as_str);
        if text("model") != Some("gpt2") {
            return Err(config.unknown("its tokenizer", text("model").unwrap_or("none"), PUT_ONE));
        }
        let split = match text("pre").unwrap_or("default") {
            "gpt-2" | "gpt2" => Split::Gpt2,
            "smollm" | "starcoder" | "refact" | "codeshell" => Split::Digits,
            "llama-bpe" | "llama3" | "llama-v3" => Split::Llama3,
            "qwen2" => Split::Qwen2,
            other => return Err(config.unknown("`tokenizer.ggml.pre`", other, PUT_ONE)),
        };
        let texts = |name: &str| -> Vec<String> {
            let values = key(name).and_then(Value::as_array).into_iter().flatten();
            values.map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
        };
        let kinds = key("token_type").and_then(Value::as_array).into_iter().flatten();
        // Those that steer, and those that a user has added.
        let added = kinds.enumerate().filter_map(|(id, kind)| match kind.as_i64() {
            Some(3) => Some((id, true)),
            Some(4) => Some((id, false)),
            _ => None,
        });
        // Before the second text of a pair as well.
        let around = |flag: &str, token: &str| {
            let is_put = key(flag).and_then(Value::as_bool).unwrap_or(false);
            key(token).filter(|_| is_put).and_then(Value::as_u64).and_then(|id| usize::try_from(id).ok())
        };
        let parts = ByteLevel {
            tokens: texts("tokens"),
            merges: texts("merges"),
            added: added.collect(),
            split,
            first: around("add_bos_token", "bos_token_id"),
            between: around("add_bos_token", "bos_token_id"),
            last: around("add_eos_token", "eos_token_id"),
        };
        parts.tokenizer().map_err(|reason| config.wrong(format!("its tokenizer cannot be used: {reason}")))
    }
}
