//! Tokenizers that lie in parts: the tokenizers library's file is made of them, as transformers converts them.

use super::Tokenizer;
use serde_json::{Map, Value, json};

/// The parts of a byte-level tokenizer: pairs of what stands side by side are joined, the first pair of the list first.
#[derive(Clone, Debug, Default)]
pub struct ByteLevel {
    /// Tokens by their numbers.
    pub tokens: Vec<String>,
    /// Pairs, each as two tokens with a space between.
    pub merges: Vec<String>,
    /// Numbers of tokens that are found in a text as they stand, and whether they only steer.
    pub added: Vec<(usize, bool)>,
    /// How a text is split before anything is joined.
    pub split: Split,
    /// The token that is put before every text.
    pub first: Option<usize>,
    /// The token that is put before the second text of a pair.
    pub between: Option<usize>,
    /// The token that is put behind every text.
    pub last: Option<usize>,
}

/// How a byte-level tokenizer splits a text into words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// As GPT-2.
    #[default]
    Gpt2,
    /// The same, digit by digit, as SmolLM and StarCoder.
    Digits,
    /// As Llama 3: up to three digits together.
    Llama3,
    /// As Qwen 2, digit by digit.
    Qwen2,
}

impl Split {
    /// What comes before the bytes, and whether they are split as GPT-2 does besides.
    fn parts(self) -> (Option<Value>, bool) {
        let words = |digits: &str| {
            let letters = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+";
            let others = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
            let pattern = format!("{letters}|{digits}|{others}");
            json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
        };
        match self {
            Split::Gpt2 => (None, true),
            Split::Digits => (Some(json!({"type": "Digits", "individual_digits": true})), true),
            Split::Llama3 => (Some(words(r"\p{N}{1,3}")), false),
            Split::Qwen2 => (Some(words(r"\p{N}")), false),
        }
    }
}

impl ByteLevel {
    /// The tokenizer that they make.
    ///
    /// # Errors
    /// Where a number is of no token, or the library refuses the parts.
    pub fn tokenizer(&self) -> Result<Tokenizer, String> {
        let token = |id: usize| {
            let told = || format!("token {id} is not one of its {}", self.tokens.len());
            self.tokens.get(id).cloned().ok_or_else(told)
        };
        let added = self.added.iter().map(|&(id, special)| Ok(added_token(id, &token(id)?, special)));
        let added = added.collect::<Result<Vec<Value>, String>>()?;
        let named = |id: Option<usize>| id.map(|id| token(id).map(|name| (id, name))).transpose();
        let around = [named(self.first)?, named(self.between)?, named(self.last)?];
        let (before, splits) = self.split.parts();
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": splits});
        let split = match before {
            Some(before) => json!({"type": "Sequence", "pretokenizers": [before, bytes]}),
            None => bytes,
        };
        let normalizer = if self.split == Split::Qwen2 { json!({"type": "NFC"}) } else { Value::Null };
        let model = json!({
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": self.split == Split::Llama3, "vocab": vocabulary(&self.tokens),
            "merges": self.merges
        });
        of_parts(&added, &normalizer, &split, &template(&around), &model)
    }
}

/// The tokenizer of BERT: words, and pieces of words that begin with `##`.
#[derive(Clone, Debug)]
pub struct WordPiece {
    /// Tokens by their numbers.
    pub tokens: Vec<String>,
    /// Whether letters are made small.
    pub lowers: bool,
    /// Whether accents are taken off; as letters are made small, where that is not said.
    pub strips_accents: Option<bool>,
    /// Whether Chinese characters are words of their own.
    pub splits_chinese: bool,
}

impl WordPiece {
    /// The tokenizer that they make.
    ///
    /// # Errors
    /// Where there is no `[UNK]`, `[CLS]` or `[SEP]`, or the library refuses the parts.
    pub fn tokenizer(&self) -> Result<Tokenizer, String> {
        let number = |name: &str| {
            let at = self.tokens.iter().rposition(|token| token == name);
            at.map(|id| (id, name.to_owned())).ok_or_else(|| format!("it has no token {name}"))
        };
        let (unknown, first, last) = (number("[UNK]")?, number("[CLS]")?, number("[SEP]")?);
        let named = [Ok(unknown), number("[PAD]"), number("[MASK]"), Ok(first.clone()), Ok(last.clone())];
        let mut added: Vec<(usize, String)> = named.into_iter().flatten().collect();
        added.sort();
        let added: Vec<Value> = added.iter().map(|(id, name)| added_token(*id, name, true)).collect();
        let normalizer = json!({
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": self.splits_chinese,
            "strip_accents": self.strips_accents, "lowercase": self.lowers
        });
        let model = json!({
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary(&self.tokens)
        });
        let around = template(&[Some(first), None, Some(last)]);
        of_parts(&added, &normalizer, &json!({"type": "BertPreTokenizer"}), &around, &model)
    }
}

/// The tokenizer of the library's parts.
pub(super) fn of_parts(
    added: &[Value],
    normalizer: &Value,
    split: &Value,
    around: &Value,
    model: &Value,
) -> Result<Tokenizer, String> {
    let file = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": normalizer, "pre_tokenizer": split, "post_processor": around, "decoder": null,
        "model": model
    });
    Tokenizer::of(file.to_string().into_bytes())
}

/// Tokens and their numbers.
fn vocabulary(tokens: &[String]) -> Map<String, Value> {
    tokens.iter().enumerate().map(|(id, token)| (token.clone(), Value::from(id))).collect()
}

/// A token that is found in a text as it stands.
fn added_token(id: usize, content: &str, special: bool) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": special
    })
}

/// A token's number and name.
pub(super) type Named = (usize, String);

/// What stands before a text, before the second of a pair, and behind each; `null` where nothing does.
pub(super) fn template(around: &[Option<Named>; 3]) -> Value {
    if around.iter().all(Option::is_none) {
        return Value::Null;
    }
    let [first, between, last] = around;
    let told = |(id, name): &Named| (name.clone(), json!({"id": name, "ids": [id], "tokens": [name]}));
    let special: Map<String, Value> = around.iter().flatten().map(told).collect();
    let parts = |before: &Option<Named>, sequence: &str, kind: u32| {
        let special = |(_, name): &Named| json!({"SpecialToken": {"id": name, "type_id": kind}});
        let text = json!({"Sequence": {"id": sequence, "type_id": kind}});
        before.iter().map(special).chain([text]).chain(last.iter().map(special)).collect::<Vec<_>>()
    };
    let single = parts(first, "A", 0);
    let pair = [single.clone(), parts(between, "B", 1)].concat();
    json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special})
}
