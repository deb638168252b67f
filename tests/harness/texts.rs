//! A small network of texts, as it lies on the Hugging Face hub.

use crate::write_formula;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Words that the tokenizer knows, after its own four tokens.
const WORDS: [&str; 28] = [
    "a", "the", "is", "was", "not", "and", "film", "food", "phone", "good", "great", "fine", "happy", "best",
    "bad", "poor", "awful", "sad", "worst", "very", "so", "really", "my", "this", "that", "it", "again", ".",
];
const WIDTH: usize = 64;
const PLACES: usize = 24;
const HIDDEN: usize = 128;

/// Writes a BERT of two layers into `folder`, with its tokenizer and sentence-transformers' modules.
pub fn write_bert(folder: &Path) {
    fs::create_dir_all(folder.join("1_Pooling")).unwrap();
    let put = |name: &str, value: &Value| fs::write(folder.join(name), value.to_string()).unwrap();
    put("tokenizer.json", &tokenizer());
    put("sentence_bert_config.json", &json!({"max_seq_length": 16, "do_lower_case": false}));
    let module = |path: &str, kind: &str| json!({"path": path, "type": format!("sentence_transformers.models.{kind}")});
    let modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")];
    put("modules.json", &modules.map(|(path, kind)| module(path, kind)).to_vec().into());
    put(
        "1_Pooling/config.json",
        &json!({"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": true}),
    );
    put(
        "config.json",
        &json!({
            "model_type": "bert", "vocab_size": 4 + WORDS.len(), "hidden_size": WIDTH, "num_hidden_layers": 2,
            "num_attention_heads": 4, "intermediate_size": HIDDEN, "hidden_act": "gelu", "max_position_embeddings": PLACES,
            "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        }),
    );
    let tensors = tensors();
    let params = tensors.iter().map(|(name, shape)| (name.as_str(), &shape[..]));
    write_formula(&folder.join("model.safetensors"), params);
}

/// Writes a table of tokens into `folder`, as model2vec saves it: (32, 64), of the same words.
pub fn write_model2vec(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let put = |name: &str, value: &Value| fs::write(folder.join(name), value.to_string()).unwrap();
    put("tokenizer.json", &tokenizer());
    put("config.json", &json!({"model_type": "model2vec", "normalize": true, "max_length": 16}));
    let shape = [4 + WORDS.len(), WIDTH];
    write_formula(&folder.join("model.safetensors"), [("embeddings", &shape[..])]);
}

/// Lower case, words by spaces, a token before and after; the second of a pair is of another kind.
fn tokenizer() -> Value {
    let own = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
    let vocabulary: serde_json::Map<String, Value> =
        own.iter().chain(&WORDS).enumerate().map(|(id, word)| ((*word).to_owned(), id.into())).collect();
    let special = |token: &str, kind: u32| json!({"SpecialToken": {"id": token, "type_id": kind}});
    let text = |name: &str, kind: u32| json!({"Sequence": {"id": name, "type_id": kind}});
    let known = |token: &str, id: u32| json!({"id": token, "ids": [id], "tokens": [token]});
    let first = vec![special("[CLS]", 0), text("A", 0), special("[SEP]", 0)];
    let pair = [first.clone(), vec![text("B", 1), special("[SEP]", 1)]].concat();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "decoder": null,
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "TemplateProcessing", "single": first, "pair": pair,
            "special_tokens": {"[CLS]": known("[CLS]", 2), "[SEP]": known("[SEP]", 3)},
        },
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    })
}

/// Names as transformers writes them, and shapes.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let d = WIDTH;
    let mut all = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![4 + WORDS.len(), d]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![PLACES, d]),
        ("embeddings.token_type_embeddings.weight".to_owned(), vec![2, d]),
    ];
    let mut pair = |name: String, shape: &[usize]| {
        all.push((format!("{name}.weight"), shape.to_vec()));
        all.push((format!("{name}.bias"), shape[..1].to_vec()));
    };
    pair("embeddings.LayerNorm".to_owned(), &[d]);
    for layer in 0..2 {
        let at = format!("encoder.layer.{layer}");
        for name in ["self.query", "self.key", "self.value", "output.dense"] {
            pair(format!("{at}.attention.{name}"), &[d, d]);
        }
        pair(format!("{at}.attention.output.LayerNorm"), &[d]);
        pair(format!("{at}.intermediate.dense"), &[HIDDEN, d]);
        pair(format!("{at}.output.dense"), &[d, HIDDEN]);
        pair(format!("{at}.output.LayerNorm"), &[d]);
    }
    pair("pooler.dense".to_owned(), &[d, d]);
    all
}

/// Sentences of two classes, `n` of each, no two alike: text and class.
pub fn sentences(n: usize) -> Vec<(String, &'static str)> {
    let things = ["film", "food", "phone"];
    let (good, bad) = (["good", "great", "fine", "happy", "best"], ["bad", "poor", "awful", "sad", "worst"]);
    let forms = ["the {} is {}", "this {} was really {} .", "my {} was so {} again", "it is a very {1} {0}"];
    let sentence = |i: usize, words: [&str; 5]| {
        let (form, thing, word) = (forms[i % 4], things[i / 4 % 3], words[i / 12 % 5]);
        let text =
            form.replacen("{}", thing, 1).replacen("{}", word, 1).replace("{1}", word).replace("{0}", thing);
        // Beyond sixty they would begin again.
        if i < 60 { text } else { format!("{text} and so it was{}", " again".repeat(i / 60)) }
    };
    (0..n).flat_map(|i| [(sentence(i, good), "good"), (sentence(i, bad), "bad")]).collect()
}
