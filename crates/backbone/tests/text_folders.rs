//! Folders of networks of texts: what their configurations say, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Room, write_bert};
use headstart_backbone::{Backbone, BackboneError, Wanted, find};
use input::Recipe;
use network::{By, Op};
use std::fs;

fn found(room: &Room) -> Result<Backbone, BackboneError> {
    let folder = room.path("bert");
    find(Wanted { name: None, weights: Some(&folder), taps: &[], size: None, prepared: false })
}

/// A folder whose file `name` says something else.
fn changed(name: &str, from: &str, to: &str) -> Room {
    let room = Room::new();
    write_bert(&room.path("bert"));
    let path = room.path("bert").join(name);
    let said = fs::read_to_string(&path).unwrap();
    assert!(said.contains(from), "{said}");
    fs::write(path, said.replace(from, to)).unwrap();
    room
}

fn max_tokens(backbone: &Backbone) -> usize {
    let Some(Recipe::Text(how)) = &backbone.recipe else { panic!("texts") };
    how.max_tokens()
}

#[test]
fn a_folder_says_network_tokenizer_and_tap() {
    let room = Room::new();
    write_bert(&room.path("bert"));
    let backbone = found(&room).unwrap();
    assert_eq!((backbone.name.as_str(), backbone.default_tap.as_str()), ("bert", "sentence"));
    assert_eq!(max_tokens(&backbone), 16);
    let taps = ["cls", "mean", "max", "last", "layer:0", "layer:2", "pooled", "sentence"];
    backbone.bind(&taps).unwrap();
    // Without sentence-transformers' files a text has as many tokens as there are places.
    fs::remove_file(room.path("bert/modules.json")).unwrap();
    fs::remove_file(room.path("bert/sentence_bert_config.json")).unwrap();
    let plain = found(&room).unwrap();
    assert_eq!((plain.default_tap.as_str(), max_tokens(&plain)), ("mean", 24));
    // Or as its tokenizer says, but no more than that.
    for (said, expected) in [("9", 9), ("1000000000000000019884624838656", 24), ("512", 24)] {
        room.write("bert/tokenizer_config.json", format!(r#"{{"model_max_length": {said}}}"#));
        assert_eq!(max_tokens(&found(&room).unwrap()), expected);
    }
}

#[test]
fn robertas_places_begin_after_its_padding() {
    let room = changed("config.json", r#""model_type":"bert""#, r#""model_type":"roberta","pad_token_id":1"#);
    let backbone = found(&room).unwrap();
    let places = backbone.network.nodes().iter().find_map(|node| match node.op {
        Op::Lookup { by: By::Place { first, padding }, .. } => Some((first, padding)),
        _ => None,
    });
    assert_eq!(places, Some((2, Some(1))));
    backbone.bind(&["sentence"]).unwrap();
    fs::remove_file(room.path("bert/sentence_bert_config.json")).unwrap();
    assert_eq!(max_tokens(&found(&room).unwrap()), 22);
}

#[test]
fn a_prompt_is_put_before_every_text() {
    let room = changed("modules.json", "sentence_transformers.models.Normalize", "Normalize");
    let probes = |room: &Room| found(room).unwrap().recipe.unwrap().probes();
    let plain = probes(&room);
    room.write(
        "bert/config_sentence_transformers.json",
        r#"{"prompts": {"q": "the film "}, "default_prompt_name": "q"}"#,
    );
    let prompted = probes(&room);
    assert_ne!(plain, prompted);
    room.write("bert/config_sentence_transformers.json", r#"{"prompts": {}, "default_prompt_name": "q"}"#);
    let message = found(&room).unwrap_err().to_string();
    assert!(message.contains("`prompts` has no `q`"), "{message}");
}

#[test]
fn what_is_not_built_is_one_line() {
    for (file, from, to, expected) in [
        ("config.json", r#""vocab_size":32"#, r#""vocab_size":31"#, "they belong to different models"),
        ("config.json", r#""vocab_size":32"#, r#""vocab_size":99999999"#, "a vocabulary of"),
        (
            "config.json",
            r#""num_attention_heads":4"#,
            r#""num_attention_heads":5"#,
            "heads that do not divide",
        ),
        ("config.json", r#""hidden_act":"gelu""#, r#""hidden_act":"gelu_fast_2""#, "`hidden_act`"),
        (
            "config.json",
            r#""model_type":"bert""#,
            r#""model_type":"bert","position_embedding_type":"relative_key""#,
            "position_embedding_type other than absolute",
        ),
        ("config.json", r#""model_type":"bert""#, r#""model_type":"bert","is_decoder":true"#, "is_decoder"),
        (
            "config.json",
            r#""model_type":"bert""#,
            r#""model_type":"bert","embedding_size":8"#,
            "embedding_size",
        ),
        (
            "config.json",
            r#""model_type":"bert""#,
            r#""model_type":"roberta","pad_token_id":23"#,
            "no place is left",
        ),
        ("modules.json", "models.Normalize", "models.CNN", "Transformer, Pooling, CNN"),
        ("modules.json", "1_Pooling", "../1_Pooling", "the path `../1_Pooling`"),
        ("modules.json", r#""1_Pooling""#, r#""2_Pooling""#, "`2_Pooling/config.json` is missing"),
        (
            "1_Pooling/config.json",
            "pooling_mode_mean_tokens",
            "pooling_mode_weightedmean_tokens",
            "weightedmean",
        ),
        (
            "1_Pooling/config.json",
            r#""pooling_mode_mean_tokens":true"#,
            r#""pooling_mode":"latent""#,
            "`latent`",
        ),
        ("sentence_bert_config.json", "16", "3", "3 tokens are too few"),
        ("tokenizer.json", "WordLevel", "Wordless", "is no tokenizer"),
        ("tokenizer.json", "{", "", "is no tokenizer"),
    ] {
        let room = changed(file, from, to);
        let message = found(&room).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains('\n') && message.len() < 500, "{message}");
    }
}

#[test]
fn pooling_is_read_as_sentence_transformers_writes_it() {
    let flag = r#""pooling_mode_mean_tokens":true"#;
    for (said, alike) in [
        (r#""pooling_mode":"mean""#, flag),
        (r#""x":1"#, flag),
        (r#""pooling_mode":"cls","pooling_mode_mean_tokens":true"#, r#""pooling_mode_cls_token":true"#),
        (
            r#""pooling_mode":["cls","mean"]"#,
            r#""pooling_mode_mean_tokens":true,"pooling_mode_cls_token":true"#,
        ),
    ] {
        let network = |said: &str| {
            let room = changed("1_Pooling/config.json", flag, said);
            found(&room).unwrap().bind(&["sentence"]).unwrap().network().fingerprint()
        };
        assert_eq!(network(said), network(alike), "{said}");
    }
}

#[test]
fn small_letters_are_made_by_the_tokenizer_or_not_at_all() {
    // Said twice, it changes nothing.
    found(&changed("sentence_bert_config.json", "false", "true")).unwrap();
    for (file, said) in [
        ("sentence_bert_config.json", r#"{"do_lower_case": true}"#),
        ("sentence_roberta_config.json", r#"{"do_lower_case": true}"#),
        ("tokenizer_config.json", r#"{"do_lower_case": true}"#),
    ] {
        let room = changed("tokenizer.json", r#"{"type":"Lowercase"}"#, "null");
        fs::remove_file(room.path("bert/sentence_bert_config.json")).unwrap();
        room.write(&format!("bert/{file}"), said);
        let message = found(&room).unwrap_err().to_string();
        assert!(message.contains("`do_lower_case` `true`") && message.contains(file), "{message}");
    }
    let room = Room::new();
    write_bert(&room.path("bert"));
    room.write("bert/tokenizer_config.json", r#"{"truncation_side": "left"}"#);
    assert!(found(&room).unwrap_err().to_string().contains("`truncation_side` `left`"));
}

#[test]
fn the_first_berts_call_norms_as_tensorflow_does() {
    let room = Room::new();
    write_bert(&room.path("bert"));
    let digest = || found(&room).unwrap().bind(&["sentence"]).unwrap().digest();
    let before = digest();
    let path = room.path("bert/model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let old = |name: &str| {
        format!(
            "bert.{}",
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        )
    };
    let tensors: Vec<_> = file.tensors().into_iter().map(|(name, view)| (old(&name), view)).collect();
    safetensors::serialize_to_file(tensors, None, &path).unwrap();
    assert_eq!(digest(), before);
}

#[test]
fn tokenizers_may_lie_in_parts() {
    let tokens = |files: &[(&str, &str)]| {
        let room = Room::new();
        write_bert(&room.path("bert"));
        fs::remove_file(room.path("bert/tokenizer.json")).unwrap();
        for (name, content) in files {
            room.write(&format!("bert/{name}"), content);
        }
        let found = found(&room).map_err(|error| error.to_string())?;
        let Some(Recipe::Text(how)) = found.recipe else { panic!("texts") };
        let file = how.tokenizer().unwrap().bytes();
        Ok::<_, String>(serde_json::from_slice::<serde_json::Value>(file).unwrap())
    };
    let pieces = tokens(&[("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm\n##s\n")]).unwrap();
    assert_eq!(
        (&pieces["model"]["type"], &pieces["model"]["vocab"]["##s"]),
        (&"WordPiece".into(), &5.into())
    );
    assert_eq!(pieces["normalizer"]["lowercase"], true);
    let config = ("tokenizer_config.json", r#"{"do_lower_case": false, "strip_accents": true}"#);
    let cased = tokens(&[("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n"), config]).unwrap();
    assert_eq!(
        (&cased["normalizer"]["lowercase"], &cased["normalizer"]["strip_accents"]),
        (&false.into(), &true.into())
    );
    let vocab = r#"{"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4}"#;
    let bytes = tokens(&[("vocab.json", vocab), ("merges.txt", "#version: 0.2\na b\n")]).unwrap();
    assert_eq!(bytes["model"]["merges"], serde_json::json!(["a b"]));
    // RoBERTa's pairs: `<s> a </s></s> b </s>`.
    let pair = bytes["post_processor"]["pair"].as_array().unwrap();
    let name = |part: &serde_json::Value| part["SpecialToken"]["id"].as_str().unwrap_or("text").to_owned();
    assert_eq!(pair.iter().map(name).collect::<Vec<_>>(), ["<s>", "text", "</s>", "</s>", "text", "</s>"]);
    for (files, part) in [
        (vec![], "has no tokenizer.json"),
        (vec![("vocab.txt", "[UNK]\n[CLS]\n")], "it has no token [SEP]"),
        (vec![("vocab.json", vocab)], "has no tokenizer.json"),
        (vec![("vocab.json", r#"{"a": 1, "b": 2}"#), ("merges.txt", "")], "not numbered from 0"),
        (vec![("vocab.json", vocab), ("merges.txt", "a x\n")], "vocab.json` is no tokenizer"),
    ] {
        let message = tokens(&files).unwrap_err();
        assert!(message.contains(part) && !message.contains('\n'), "{message}");
    }
}
