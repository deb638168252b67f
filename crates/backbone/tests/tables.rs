//! Tables of tokens: what folders of model2vec's and of sentence-transformers' say, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Room, write_formula, write_model2vec};
use headstart_backbone::{Backbone, BackboneError, Wanted, find};
use input::{
    Recipe,
    text::{Bare, Tokenisation},
};
use std::fs;

fn found(room: &Room) -> Result<Backbone, BackboneError> {
    let folder = room.path("table");
    find(Wanted { name: None, weights: Some(&folder), taps: &[], size: None, prepared: false })
}

fn made() -> Room {
    let room = Room::new();
    write_model2vec(&room.path("table"));
    room
}

/// The same as sentence-transformers keeps it, in a folder of that name.
fn moved(at: &str, kinds: &[&str]) -> Room {
    let room = made();
    fs::remove_file(room.path("table/config.json")).unwrap();
    if !at.is_empty() {
        fs::create_dir(room.path("table").join(at)).unwrap();
        for file in ["model.safetensors", "tokenizer.json"] {
            let folder = room.path("table");
            fs::rename(folder.join(file), folder.join(at).join(file)).unwrap();
        }
    }
    let modules = kinds.iter().enumerate().map(|(i, kind)| {
        let path = if i == 0 { at.to_owned() } else { format!("{i}_{kind}") };
        format!(r#"{{"path": "{path}", "type": "sentence_transformers.models.{kind}"}}"#)
    });
    let modules = modules.collect::<Vec<_>>().join(", ");
    room.write("table/modules.json", format!("[{modules}]"));
    room
}

fn how(backbone: &Backbone) -> &Tokenisation {
    let Some(Recipe::Text(how)) = &backbone.recipe else { panic!("texts") };
    how
}

#[test]
fn model2vec_s_folder_is_a_table() {
    let room = made();
    let backbone = found(&room).unwrap();
    assert_eq!((backbone.name.as_str(), backbone.default_tap.as_str()), ("static_embeddings", "sentence"));
    backbone.bind(&["mean", "max", "sentence"]).unwrap();
    // Half of its tokens have four characters or more: `[CLS]` and the like are among them.
    let expected = Bare { keeps_unknown: false, characters_per_token: Some(4) };
    assert_eq!((how(&backbone).max_tokens(), how(&backbone).as_bare()), (16, Some(expected)));
    let print = |backbone: &Backbone| backbone.network.for_taps(&["sentence"]).unwrap().fingerprint();
    // One that was not distilled is saved without a name, and with modules besides.
    room.write("table/config.json", r#"{"normalize": true, "max_length": 16}"#);
    room.write(
        "table/modules.json",
        r#"[{"path": ".", "type": "sentence_transformers.models.StaticEmbedding"}]"#,
    );
    let nameless = found(&room).unwrap();
    assert_eq!((print(&nameless), &nameless.recipe), (print(&backbone), &backbone.recipe));
    for (said, tokens, cut) in [("", 512, Some(4)), (r#", "max_length": null"#, 1 << 17, None)] {
        room.write("table/config.json", format!(r#"{{"model_type": "model2vec"{said}}}"#));
        let plain = found(&room).unwrap();
        let bare = how(&plain).as_bare().unwrap();
        assert_eq!((how(&plain).max_tokens(), bare.characters_per_token), (tokens, cut));
        // It is not normalised unless that is said.
        assert_ne!(print(&plain), print(&backbone));
    }
}

#[test]
fn sentence_transformers_keep_the_same_table() {
    let expected = found(&made()).unwrap().bind(&["sentence"]).unwrap();
    for at in ["", "0_StaticEmbedding"] {
        let backbone = found(&moved(at, &["StaticEmbedding", "Normalize"])).unwrap();
        let got = backbone.bind(&["sentence"]).unwrap();
        assert_eq!(got.network().fingerprint(), expected.network().fingerprint());
        assert_eq!(got.digest(), expected.digest());
        let bare = Bare { keeps_unknown: true, characters_per_token: None };
        assert_eq!((how(&backbone).max_tokens(), how(&backbone).as_bare()), (1 << 17, Some(bare)));
    }
    let room = moved("", &["StaticEmbedding"]);
    let cut =
        r#""truncation": {"direction": "Right", "max_length": 7, "strategy": "LongestFirst", "stride": 0}"#;
    let path = room.path("table/tokenizer.json");
    let json = fs::read_to_string(&path).unwrap().replace(r#""truncation":null"#, cut);
    fs::write(&path, &json).unwrap();
    assert_eq!(how(&found(&room).unwrap()).max_tokens(), 7);
    fs::write(&path, json.replace("Right", "Left")).unwrap();
    assert!(found(&room).unwrap_err().to_string().contains("`truncation` `left`"));
}

#[test]
fn what_is_not_built_is_one_line() {
    let table = |tensors: &[(&str, &[usize])]| {
        let room = made();
        write_formula(&room.path("table/model.safetensors"), tensors.iter().copied());
        room
    };
    let rows: (&str, &[usize]) = ("embeddings", &[32, 64]);
    let missing = made();
    fs::remove_file(missing.path("table/tokenizer.json")).unwrap();
    let wrong = made();
    wrong.write("table/config.json", r#"{"model_type": "model2vec", "max_length": "long"}"#);
    for (room, expected) in [
        (table(&[rows, ("mapping", &[32])]), "the tensor `mapping` is not known; save the model again"),
        (table(&[rows, ("weights", &[32])]), "the tensor `weights` is not known; save the model again"),
        (table(&[("words", &[32, 64])]), "it has no tensor `embeddings` or `embedding.weight`"),
        (table(&[("embeddings", &[32, 8, 8])]), "should have rows of numbers, got [32, 8, 8]"),
        (table(&[("embeddings", &[31, 64])]), "they belong to different models"),
        (missing, "has no tokenizer.json"),
        (wrong, "`max_length`"),
        (
            moved("", &["StaticEmbedding", "Dense"]),
            "the modules `StaticEmbedding, Dense` is not known; only Normalize",
        ),
        (moved("a.b", &["StaticEmbedding"]), "the path `a.b`"),
    ] {
        let message = found(&room).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains('\n') && message.len() < 500, "{message}");
    }
}
