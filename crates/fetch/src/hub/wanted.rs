//! Which files of a model are downloaded.

use crate::error::FetchError;
use cli::UsageError;
use glob::Pattern;
use published::{EXTENSIONS, NAMES};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::Path,
};

/// Said about network, preprocessing and labels; those of open_clip's models and sentence-transformers' too.
const CONFIGURATIONS: [&str; 12] = [
    "config.json",
    "preprocessor_config.json",
    "open_clip_config.json",
    "modules.json",
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
    "config_sentence_transformers.json",
];
/// What sentence-transformers has behind a network, after a number: the weights of a dense layer in one of two forms.
const MODULES: [&str; 3] = ["_Pooling/config.json", "_Dense/config.json", DENSE];
const DENSE: &str = "_Dense/model.safetensors";
const OLD_DENSE: &str = "_Dense/pytorch_model.bin";
/// Where sentence-transformers keeps a table of tokens and its tokenizer, after a number.
const TABLE: [&str; 2] = ["_StaticEmbedding/model.safetensors", "_StaticEmbedding/tokenizer.json"];
const TOKENIZERS: [&str; 10] = [
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "added_tokens.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
];
const TOKENIZER: &str = "tokenizer.json";
/// How the name of a model of SentencePiece's ends. It is read where there is no tokenizer.json.
const PIECES: &str = ".model";
/// Some vocabularies are larger than networks. XLM-R's has 17 MiB.
const LARGEST_TOKENIZER: u64 = 64 << 20;
/// How the name of an index of shards ends.
const INDEX: &str = ".index.json";
/// One of a thousand shards takes a few MiB.
const LONGEST_INDEX: u64 = 64 << 20;
/// Names in a message.
const SHOWN: usize = 8;

/// What somebody wants of a model.
pub(crate) enum Wanted {
    /// What Headstart reads.
    Read,
    /// What matches any of these.
    Matching(Vec<Pattern>),
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Wanted {
    /// # Errors
    /// [`UsageError`] for a pattern that is none.
    pub(crate) fn new(include: &[String]) -> Result<Wanted, UsageError> {
        if include.is_empty() {
            return Ok(Wanted::Read);
        }
        let pattern = |text: &String| {
            Pattern::new(text).map_err(|error| UsageError(format!("--include `{text}`: {}", error.msg)))
        };
        Ok(Wanted::Matching(include.iter().map(pattern).collect::<Result<_, _>>()?))
    }

    /// The files to begin with, of all that the model has. The size of a file may be known.
    ///
    /// # Errors
    /// Where there are no weights, or a pattern matches nothing.
    pub(crate) fn of(
        &self,
        model: &str,
        names: &[&str],
        size: impl Fn(&str) -> Option<u64>,
    ) -> Result<Vec<String>, FetchError> {
        let model = || model.to_owned();
        match self {
            Wanted::Read => {
                // The first that is there: a model has the same weights in several forms.
                let [table, of_table] =
                    TABLE.map(|end| names.iter().copied().find(|name| is_numbered(name, end)));
                let weights = NAMES.into_iter().find(|name| names.contains(name)).or_else(|| only(names));
                let of_table = of_table.filter(|_| weights.is_none());
                let weights = weights.or(table);
                let weights =
                    weights.ok_or_else(|| FetchError::NoWeights { model: model(), files: listed(names) })?;
                let is_small = |name: &str| size(name).is_none_or(|n| n <= LARGEST_TOKENIZER);
                let has_tokenizer = names.contains(&TOKENIZER) && is_small(TOKENIZER);
                let small = TOKENIZERS
                    .into_iter()
                    .filter(|name| is_small(name) && !(has_tokenizer && name.ends_with(PIECES)));
                let files = CONFIGURATIONS.into_iter().chain(small).filter(|name| names.contains(name));
                // Where a large ONNX model keeps its numbers: `model.onnx_data`, `model.onnx.data`.
                let beside =
                    |name: &&str| weights.ends_with(".onnx") && *name != weights && name.starts_with(weights);
                let beside = names.iter().copied().filter(beside);
                let is_module = |name: &str| {
                    let newer = || names.contains(&name.replace(OLD_DENSE, DENSE).as_str());
                    MODULES.iter().any(|end| is_numbered(name, end))
                        || (is_numbered(name, OLD_DENSE) && !newer())
                };
                let modules = names.iter().copied().filter(|name| is_module(name));
                Ok(files
                    .chain(modules)
                    .chain(of_table)
                    .chain([weights])
                    .chain(beside)
                    .map(str::to_owned)
                    .collect())
            }
            Wanted::Matching(patterns) => {
                let unmatched =
                    patterns.iter().find(|pattern| !names.iter().any(|name| pattern.matches(name)));
                if let Some(pattern) = unmatched {
                    let (pattern, files) = (pattern.as_str().to_owned(), listed(names));
                    return Err(FetchError::NoMatch { model: model(), pattern, files });
                }
                let matching =
                    names.iter().filter(|name| patterns.iter().any(|pattern| pattern.matches(name)));
                Ok(matching.map(|name| (*name).to_owned()).collect())
            }
        }
    }

    /// The shards that a file of the snapshot names, where it is an index of weights and was not asked for by itself.
    ///
    /// # Errors
    /// Where it is no index, or names shards that the model does not have.
    pub(crate) fn shards(
        &self,
        model: &str,
        name: &str,
        path: &Path,
        names: &[&str],
    ) -> Result<Vec<String>, FetchError> {
        if matches!(self, Wanted::Matching(_)) || !name.ends_with(INDEX) {
            return Ok(Vec::new());
        }
        let wrong = |why| FetchError::Index { model: model.to_owned(), file: name.to_owned(), why };
        let unread = |source| FetchError::Read { path: path.to_owned(), source };
        if fs::metadata(path).map_err(unread)?.len() > LONGEST_INDEX {
            return Err(wrong("it is too long"));
        }
        let text = fs::read(path).map_err(unread)?;
        let index: Index = serde_json::from_slice(&text).map_err(|_| wrong("it has no weight_map"))?;
        let shards: BTreeSet<String> = index.weight_map.into_values().collect();
        let known: HashSet<&str> = names.iter().copied().collect();
        match shards.iter().find(|shard| !known.contains(shard.as_str())) {
            Some(shard) => Err(FetchError::NoFile { model: model.to_owned(), file: shard.clone() }),
            None => Ok(shards.into_iter().collect()),
        }
    }
}

/// Whether a name is a number, and then `end`.
fn is_numbered(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|number| number.bytes().all(|c| c.is_ascii_digit()))
}

/// The only file of weights that is in no folder.
fn only<'a>(names: &[&'a str]) -> Option<&'a str> {
    let is_weights = |name: &&&str| {
        !name.contains('/') && name.rsplit_once('.').is_some_and(|(_, end)| EXTENSIONS.contains(&end))
    };
    let mut found = names.iter().filter(is_weights);
    match (found.next(), found.next()) {
        (Some(name), None) => Some(name),
        _ => None,
    }
}

/// Some of the names, for a message.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", cli::name(name))).collect();
    match names.len() {
        0 => "no files".to_owned(),
        n if n > SHOWN => format!("{}, … ({} more)", shown.join(", "), n - SHOWN),
        _ => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wanted: &Wanted, names: &[&str]) -> Result<Vec<String>, String> {
        let size = |name: &str| (name == "vocab.txt").then_some(1 << 30);
        wanted.of("hf://a/b", names, size).map_err(|error| error.to_string())
    }

    #[test]
    fn one_form_of_the_weights_is_taken() {
        let all = [
            ".gitattributes",
            "README.md",
            "config.json",
            "flax_model.msgpack",
            "model.safetensors",
            "onnx/model.onnx",
            "open_clip_model.safetensors",
            "preprocessor_config.json",
            "pytorch_model.bin",
            "tokenizer.json",
            "vocab.txt",
        ];
        let got = of(&Wanted::Read, &all).unwrap();
        assert_eq!(got, ["config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"]);
        let sentences =
            ["1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "onnx/config.json"];
        let got = of(&Wanted::Read, &sentences).unwrap();
        assert_eq!(got, ["config.json", "modules.json", "1_Pooling/config.json", "model.safetensors"]);
        let dense = [
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "2_Dense/pytorch_model.bin",
            "3_Dense/config.json",
            "3_Dense/pytorch_model.bin",
            "config.json",
            "model.safetensors",
            "modules.json",
            "spiece.model",
        ];
        let got = of(&Wanted::Read, &dense).unwrap();
        let expected = [
            &["config.json", "modules.json", "spiece.model"][..],
            &dense[..3],
            &dense[4..6],
            &["model.safetensors"],
        ];
        assert_eq!(got, expected.concat());
        let got = of(&Wanted::Read, &["tokenizer.model", "tokenizer.json", "model.safetensors"]).unwrap();
        assert_eq!(got, ["tokenizer.json", "model.safetensors"]);
        let [table, tokenizer] = ["0_StaticEmbedding/model.safetensors", "0_StaticEmbedding/tokenizer.json"];
        let got = of(&Wanted::Read, &[table, tokenizer, "modules.json", "onnx/model.onnx"]).unwrap();
        assert_eq!(got, ["modules.json", tokenizer, table]);
        assert_eq!(
            of(&Wanted::Read, &["pytorch_model.bin.index.json", "x"]).unwrap(),
            ["pytorch_model.bin.index.json"]
        );
        // open_clip's before transformers', as in a folder.
        let both = ["open_clip_pytorch_model.bin", "pytorch_model.bin"];
        assert_eq!(of(&Wanted::Read, &both).unwrap(), ["open_clip_pytorch_model.bin"]);
        assert_eq!(of(&Wanted::Read, &["README.md", "clip-q8.gguf"]).unwrap(), ["clip-q8.gguf"]);
        let model = ["a.txt", "model.onnx", "model.onnx_data", "tf_model.h6"];
        assert_eq!(of(&Wanted::Read, &model).unwrap(), ["model.onnx", "model.onnx_data"]);
        let why = of(&Wanted::Read, &["q4.gguf", "q8.gguf", "onnx/model.onnx"]).unwrap_err();
        assert!(why.contains("--include") && why.contains("`q4.gguf`"), "{why}");
    }

    #[test]
    fn patterns_take_what_they_match() {
        let wanted = Wanted::new(&["*.onnx".to_owned(), "README.md".to_owned()]).unwrap();
        assert_eq!(
            of(&wanted, &["README.md", "a", "onnx/model.onnx"]).unwrap(),
            ["README.md", "onnx/model.onnx"]
        );
        assert!(of(&wanted, &["README.md"]).unwrap_err().contains("no file `*.onnx`"));
        assert!(Wanted::new(&["a[".to_owned()]).is_err());
    }

    #[test]
    fn an_index_names_files_of_the_model() {
        let at = tempfile::tempdir().unwrap();
        let path = at.path().join("model.safetensors.index.json");
        let shards = |text: &str| {
            fs::write(&path, text).unwrap();
            let name = "model.safetensors.index.json";
            Wanted::Read
                .shards("hf://a/b", name, &path, &["1.safetensors", "2.safetensors"])
                .map_err(|e| e.to_string())
        };
        let good = r#"{"metadata": {}, "weight_map": {"a": "2.safetensors", "b": "1.safetensors", "c": "2.safetensors"}}"#;
        assert_eq!(shards(good).unwrap(), ["1.safetensors", "2.safetensors"]);
        for (text, part) in [
            (r#"{"weight_map": {"a": "../../x"}}"#, "no file `../../x`"),
            (r#"{"weight_map": {"a": "3.safetensors"}}"#, "no file `3.safetensors`"),
            (r#"{"weight_map": 1}"#, "no weight_map"),
            ("[", "no weight_map"),
        ] {
            assert!(shards(text).is_err_and(|why| why.contains(part)), "{text}");
        }
    }
}
