//! Files of llama.cpp's: their metadata are a network and a tokenizer.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

#[allow(dead_code, clippy::allow_attributes, reason = "others write other files")]
#[path = "../../weights/tests/gguf/writer.rs"]
mod writer;

use harness::Room;
use headstart_backbone::{Backbone, BackboneError, Wanted, find};
use input::Recipe;
use network::{Op, Pairs, Rotary};
use std::path::Path;
use writer::{ARRAY, Gguf, TEXT, UINT32, array, text};

const FLOAT32: u32 = 6;
const BOOL: u32 = 7;

fn number(said: u32) -> [u8; 4] {
    said.to_le_bytes()
}

fn texts(values: &[&str]) -> Vec<u8> {
    array(TEXT, values.len() as u64, &values.iter().flat_map(|value| text(value)).collect::<Vec<_>>())
}

/// A network of one layer, two heads of four numbers that share keys, and four tokens, of which the last begins every text.
fn written(kind: &str, model: &str) -> Gguf {
    let mut file = Gguf::new().entry("general.architecture", TEXT, &text(kind));
    for (key, said) in [
        ("embedding_length", 8),
        ("feed_forward_length", 12),
        ("block_count", 1),
        ("attention.head_count", 2),
        ("attention.head_count_kv", 1),
        ("context_length", 20),
    ] {
        file = file.entry(&format!("{kind}.{key}"), UINT32, &number(said));
    }
    let kinds: Vec<u8> = [1, 1, 1, 3].into_iter().flat_map(number).collect();
    file = file
        .entry(&format!("{kind}.attention.layer_norm_rms_epsilon"), FLOAT32, &1e-5_f32.to_le_bytes())
        .entry(&format!("{kind}.rope.freq_base"), FLOAT32, &5e4_f32.to_le_bytes())
        .entry("tokenizer.ggml.model", TEXT, &text(model))
        .entry("tokenizer.ggml.pre", TEXT, &text("smollm"))
        .entry("tokenizer.ggml.tokens", ARRAY, &texts(&["a", "b", "ab", "<s>"]))
        .entry("tokenizer.ggml.token_type", ARRAY, &array(5, 4, &kinds))
        .entry("tokenizer.ggml.merges", ARRAY, &texts(&["a b"]))
        .entry("tokenizer.ggml.bos_token_id", UINT32, &number(3))
        .entry("tokenizer.ggml.add_bos_token", BOOL, &[1]);
    for (name, shape) in [
        ("token_embd", vec![4, 8]),
        ("output_norm", vec![8]),
        ("output", vec![4, 8]),
        ("blk.0.attn_norm", vec![8]),
        ("blk.0.attn_q", vec![8, 8]),
        ("blk.0.attn_k", vec![4, 8]),
        ("blk.0.attn_v", vec![4, 8]),
        ("blk.0.attn_output", vec![8, 8]),
        ("blk.0.ffn_norm", vec![8]),
        ("blk.0.ffn_gate", vec![12, 8]),
        ("blk.0.ffn_up", vec![12, 8]),
        ("blk.0.ffn_down", vec![8, 12]),
    ] {
        let numbers = (0..shape.iter().product()).flat_map(|at: usize| (at as f32 * 0.01).to_le_bytes());
        file = file.tensor(&format!("{name}.weight"), 0, &shape, &numbers.collect::<Vec<u8>>());
    }
    file
}

fn found(path: &Path) -> Result<Backbone, BackboneError> {
    find(Wanted { name: None, weights: Some(path), taps: &[], size: None, prepared: false })
}

fn refused(file: &Gguf) -> String {
    let room = Room::new();
    room.write("model.gguf", file.bytes());
    let message = found(&room.path("model.gguf")).err().unwrap().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

fn rotary(backbone: &Backbone) -> Rotary {
    let rotary = |op: &Op| if let Op::Rotary(how) = op { Some(*how) } else { None };
    backbone.network.nodes().iter().find_map(|node| rotary(&node.op)).unwrap()
}

#[test]
fn a_file_is_a_network_and_its_tokenizer() {
    for (kind, pairs) in [("llama", Pairs::Neighbours), ("qwen2", Pairs::Halves)] {
        let room = Room::new();
        let mut file = written(kind, "gpt2");
        if kind == "qwen2" {
            for (part, width) in [("q", 8), ("k", 4), ("v", 4)] {
                file = file.tensor(&format!("blk.0.attn_{part}.bias"), 0, &[width], &vec![0; 4 * width]);
            }
        }
        room.write("folder/model.gguf", file.bytes());
        // The file, or the folder that it lies in.
        for path in ["folder/model.gguf", "folder"] {
            let backbone = found(&room.path(path)).unwrap();
            assert_eq!((backbone.name.as_str(), backbone.default_tap.as_str()), (kind, "mean"));
            let how = rotary(&backbone);
            assert_eq!((how.pairs, how.depth, how.theta.to_bits()), (pairs, 4, 5e4_f32.to_bits()));
            let bound = backbone.bind(&["mean", "layer:0"]).unwrap();
            assert_eq!(bound.network().widths(1, 1).unwrap(), [8, 8]);
            let Some(Recipe::Text(how)) = &backbone.recipe else { panic!("texts") };
            assert_eq!((how.max_tokens(), how.tokenizer().unwrap().vocabulary()), (20, 4));
            let file: serde_json::Value = serde_json::from_slice(how.tokenizer().unwrap().bytes()).unwrap();
            assert_eq!(file["model"]["merges"], serde_json::json!(["a b"]));
            let first = &file["post_processor"]["single"][0]["SpecialToken"]["id"];
            assert_eq!((first, &file["added_tokens"][0]["id"]), (&"<s>".into(), &3.into()));
        }
    }
}

#[test]
fn what_is_not_built_is_one_line() {
    assert!(refused(&written("gemma", "gpt2")).contains("the architecture `gemma`"));
    assert!(
        refused(&written("llama", "llama")).contains("its tokenizer `llama` is not known; put the model's")
    );
    let yarn = written("llama", "gpt2").entry("llama.rope.scaling.type", TEXT, &text("yarn"));
    assert!(refused(&yarn).contains("`rope.scaling.type` `yarn`"));
    let part = written("llama", "gpt2").entry("llama.rope.dimension_count", UINT32, &number(2));
    assert!(refused(&part).contains("`rope.dimension_count` `2`"));
    let twice = written("llama", "gpt2").entry("llama.block_count", UINT32, &number(2));
    assert!(refused(&twice).contains("`llama.block_count` is there twice"));
    let nested = array(ARRAY, 1, &array(UINT32, 0, &[]));
    let nested = written("llama", "gpt2").entry("tokenizer.ggml.scores", ARRAY, &nested);
    assert!(refused(&nested).contains("nested"));
    let beyond = Gguf::new().entry("tokenizer.ggml.tokens", ARRAY, &array(TEXT, 1 << 40, &[]));
    assert!(refused(&beyond).contains("more entries than any"));
}

#[test]
fn a_tokenizer_beside_the_file_holds() {
    let room = Room::new();
    room.write("model.gguf", written("llama", "llama").bytes());
    let json = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}}"#;
    room.write("tokenizer.json", json);
    let backbone = found(&room.path("model.gguf")).unwrap();
    let Some(Recipe::Text(how)) = &backbone.recipe else { panic!("texts") };
    assert_eq!(how.tokenizer().unwrap().bytes(), json.as_bytes());
}
