//! Folders whose tokenizer is a model of SentencePiece's alone. `tests/peers/texts.py` compares whole ones with the library's own.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Room, write_bert};
use headstart_backbone::{Wanted, find};
use input::Recipe;
use serde_json::{Value, json};
use std::fs;

/// A field of a message: its number, and bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// A piece, how likely it is, and of which type.
fn piece(text: &str, score: f32, kind: u8) -> Vec<u8> {
    let score = [&[2 << 3 | 5][..], &score.to_le_bytes()].concat();
    field(1, &[field(1, text.as_bytes()), score, vec![3 << 3, kind]].concat())
}

/// A model whose first pieces are these, with their types; `kind`: 1 for unigram, 2 for BPE.
fn model(first: &[(&str, u8)], kind: u8, unknown: u8) -> Vec<u8> {
    let own = first.iter().map(|(text, kind)| piece(text, 0.0, *kind));
    let words = ["▁", "a", "b", "▁a", "ab", "▁ab", "7,"];
    let words = words.iter().enumerate().map(|(at, text)| piece(text, -1.0 - at as f32, 1));
    // `model_type`, `byte_fallback` (35) and `unk_id` (40), whose keys take two bytes.
    let trainer = field(2, &[3 << 3, kind, 0x98, 0x02, 1, 0xC0, 0x02, unknown]);
    [own.chain(words).collect::<Vec<_>>().concat(), trainer].concat()
}

const USUAL: [(&str, u8); 3] = [("<unk>", 2), ("<s>", 3), ("</s>", 3)];
const GOOGLES: [(&str, u8); 3] = [("<pad>", 3), ("</s>", 3), ("<unk>", 2)];
const ALBERTS: [(&str, u8); 5] = [("<pad>", 3), ("<unk>", 2), ("[CLS]", 3), ("[SEP]", 3), ("[MASK]", 3)];
const GEMMAS: [(&str, u8); 5] = [("<pad>", 3), ("<eos>", 3), ("<bos>", 3), ("<unk>", 2), ("▁▁", 4)];
const SIZES: &str = r#""vocab_size": 200, "hidden_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64,
    "d_model": 48, "d_kv": 12, "d_ff": 64, "num_layers": 1, "num_heads": 4, "head_dim": 12,
    "num_key_value_heads": 4"#;

/// The tokenizer of a folder with such a file beside its configuration.
fn tokenizer(kind: &str, file: &str, model: &[u8], others: &[(&str, &str)]) -> Result<Value, String> {
    let room = Room::new();
    write_bert(&room.path("bert"));
    for name in ["tokenizer.json", "modules.json", "sentence_bert_config.json"] {
        fs::remove_file(room.path("bert").join(name)).unwrap();
    }
    room.write("bert/config.json", format!(r#"{{"model_type": "{kind}", {SIZES}}}"#));
    fs::write(room.path("bert").join(file), model).unwrap();
    for (name, content) in others {
        room.write(&format!("bert/{name}"), content);
    }
    let folder = room.path("bert");
    let found = find(Wanted { name: None, weights: Some(&folder), taps: &[], size: None, prepared: false });
    let Some(Recipe::Text(how)) = found.map_err(|error| error.to_string())?.recipe else { panic!("texts") };
    Ok(serde_json::from_slice(how.tokenizer().unwrap().bytes()).unwrap())
}

/// What is put before a text, between two, and behind.
fn around(tokenizer: &Value) -> Vec<String> {
    let pair = tokenizer["post_processor"]["pair"].as_array().unwrap();
    let name = |part: &Value| part["SpecialToken"]["id"].as_str().unwrap_or("text").to_owned();
    pair.iter().map(name).collect()
}

fn pieces(tokenizer: &Value) -> Vec<&str> {
    let vocab = tokenizer["model"]["vocab"].as_array().unwrap();
    vocab.iter().map(|piece| piece[0].as_str().unwrap()).collect()
}

#[test]
fn each_family_adds_its_own() {
    let t5 = tokenizer("t5", "spiece.model", &model(&GOOGLES, 1, 2), &[]).unwrap();
    assert_eq!((&t5["model"]["type"], &t5["model"]["unk_id"]), (&json!("Unigram"), &json!(2)));
    assert_eq!(around(&t5), ["text", "</s>", "text", "</s>"]);
    assert_eq!(pieces(&t5)[9..12], ["7,", "<extra_id_99>", "<extra_id_98>"]);
    assert_eq!(pieces(&t5).len(), 110);
    let fewer = [("tokenizer_config.json", r#"{"extra_ids": 2}"#)];
    let fewer = tokenizer("mt5", "spiece.model", &model(&GOOGLES, 1, 2), &fewer).unwrap();
    assert_eq!(pieces(&fewer)[9..], ["7,", "<extra_id_1>", "<extra_id_0>"]);

    let file = "sentencepiece.bpe.model";
    let roberta = tokenizer("xlm-roberta", file, &model(&USUAL, 1, 0), &[]).unwrap();
    assert_eq!(pieces(&roberta)[..5], ["<s>", "<pad>", "</s>", "<unk>", "▁"]);
    assert_eq!((pieces(&roberta).last(), &roberta["model"]["unk_id"]), (Some(&"<mask>"), &json!(3)));
    assert_eq!(around(&roberta), ["<s>", "text", "</s>", "</s>", "text", "</s>"]);
    let camembert = tokenizer("camembert", file, &model(&USUAL, 1, 0), &[]).unwrap();
    let first = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "▁"];
    assert_eq!(pieces(&camembert)[..8], first);

    let albert = tokenizer("albert", "spiece.model", &model(&ALBERTS, 1, 1), &[]).unwrap();
    assert_eq!(around(&albert), ["[CLS]", "text", "[SEP]", "text", "[SEP]"]);
    assert_eq!(albert["post_processor"]["pair"][3]["Sequence"]["type_id"], 1);
    // Other pieces go before a number with its comma.
    assert_eq!(albert["model"]["vocab"][11], json!(["7,", -107.0]));
    assert!(albert["normalizer"].to_string().contains("Lowercase"));
    let cased = [("tokenizer_config.json", r#"{"do_lower_case": false, "keep_accents": true}"#)];
    let cased = tokenizer("albert", "spiece.model", &model(&ALBERTS, 1, 1), &cased).unwrap();
    assert!(!cased["normalizer"].to_string().contains("Lowercase"));
    assert!(!cased["normalizer"].to_string().contains("StripAccents"));

    let llama = tokenizer("llama", "tokenizer.model", &model(&USUAL, 2, 0), &[]).unwrap();
    let model_of = &llama["model"];
    assert_eq!((&model_of["type"], &model_of["byte_fallback"]), (&json!("BPE"), &json!(true)));
    assert_eq!(model_of["merges"], json!([["▁", "a"], ["a", "b"], ["▁a", "b"], ["▁", "ab"]]));
    assert_eq!(around(&llama), ["<s>", "text", "<s>", "text"]);
    let said = r#"{"add_bos_token": false, "add_eos_token": true, "legacy": false,
        "added_tokens_decoder": {"10": {"content": "<pad>", "special": true}}}"#;
    let llama = [("tokenizer_config.json", said), ("added_tokens.json", r#"{"<more>": 11}"#)];
    let llama = tokenizer("llama", "tokenizer.model", &model(&USUAL, 2, 0), &llama).unwrap();
    assert_eq!(around(&llama), ["text", "</s>", "text", "</s>"]);
    assert_eq!(llama["pre_tokenizer"]["prepend_scheme"], "first");
    let added: Vec<&Value> =
        llama["added_tokens"].as_array().unwrap().iter().map(|added| &added["content"]).collect();
    assert_eq!(added, ["<unk>", "<s>", "</s>", "<pad>", "<more>"]);

    let gemma = tokenizer("gemma", "tokenizer.model", &model(&GEMMAS, 2, 3), &[]).unwrap();
    assert_eq!(around(&gemma), ["<bos>", "text", "<bos>", "text"]);
    assert!(!gemma["normalizer"].to_string().contains("Prepend"));
    assert_eq!(gemma["model"]["merges"][0], json!(["▁", "▁"]));
}

#[test]
fn what_is_no_model_is_one_line() {
    let whole = model(&USUAL, 2, 0);
    let mut told: Vec<String> = Vec::new();
    for cut in 0..whole.len() {
        // A part of a message may be one.
        let said = tokenizer("llama", "tokenizer.model", &whole[..cut], &[]);
        told.extend(said.err());
    }
    assert!(told.len() > whole.len() / 2, "{}", told.len());
    let with =
        |bytes: &[u8]| tokenizer("llama", "tokenizer.model", &[bytes, &whole].concat(), &[]).unwrap_err();
    told.push(with(&[0xFF; 12]));
    told.push(with(&[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]));
    told.push(with(&[0x08, 1]));
    told.push(with(&field(1, &field(1, &[0xC3]))));
    assert!(told.iter().all(|line| line.contains("tokenizer.model` is no tokenizer: ")), "{told:?}");
    for (kind, model, others, part) in [
        ("llama", model(&USUAL, 3, 0), vec![], "unigram and bpe"),
        ("llama", model(&[("<unk>", 2)], 2, 0), vec![], "no piece `<s>`"),
        ("llama", model(&USUAL, 2, 40), vec![], "what is not known has no piece"),
        ("albert", model(&USUAL, 1, 0), vec![], "no piece `[CLS]`"),
        (
            "llama",
            model(&[USUAL[0], USUAL[0]], 1, 0),
            vec![("tokenizer_config.json", r#"{"add_bos_token": false}"#)],
            "there twice",
        ),
        (
            "llama",
            whole.clone(),
            vec![("added_tokens.json", r#"{"<pad>": 99}"#)],
            "`<pad>` should not have the number 99",
        ),
        ("llama", whole.clone(), vec![("tokenizer_config.json", r#"{"extra_ids": -1}"#)], "`extra_ids`"),
        (
            "t5",
            model(&GOOGLES, 1, 2),
            vec![("tokenizer_config.json", r#"{"extra_ids": 99999999999}"#)],
            "`extra_ids` asks for",
        ),
        // Its tokenizer is of other files.
        ("bert", whole.clone(), vec![], "has no tokenizer.json"),
    ] {
        told.push(tokenizer(kind, "tokenizer.model", &model, &others).unwrap_err());
        assert!(told.last().unwrap().contains(part), "{told:?}");
    }
    assert!(told.iter().all(|line| !line.contains('\n') && line.len() < 500), "{told:?}");
}
