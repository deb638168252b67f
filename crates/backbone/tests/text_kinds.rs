//! Kinds of networks of texts: what their configurations come to, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Room, write_bert};
use headstart_backbone::{Backbone, BackboneError, Wanted, find};
use input::Recipe;
use network::{Network, Op, Reach, Rotary, Scaling};
use std::fs;

/// What a folder comes to whose configuration is this one.
fn described(config: &str) -> Result<Backbone, BackboneError> {
    let room = Room::new();
    write_bert(&room.path("bert"));
    fs::remove_file(room.path("bert/modules.json")).unwrap();
    fs::remove_file(room.path("bert/sentence_bert_config.json")).unwrap();
    room.write("bert/config.json", config);
    let folder = room.path("bert");
    find(Wanted { name: None, weights: Some(&folder), taps: &[], size: None, prepared: false })
}

const SIZES: &str = r#""vocab_size": 1000, "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64"#;

/// Of each layer, which tokens a token sees.
fn reaches(network: &Network) -> Vec<Reach> {
    let reach = |op: &Op| if let Op::TextAttention(how) = op { Some(how.reach) } else { None };
    network.nodes().iter().filter_map(|node| reach(&node.op)).collect()
}

fn rotaries(network: &Network) -> Vec<Rotary> {
    let rotary = |op: &Op| if let Op::Rotary(how) = op { Some(*how) } else { None };
    network.nodes().iter().filter_map(|node| rotary(&node.op)).collect()
}

#[test]
fn windows_are_those_of_the_kind() {
    let near = |back| Reach { back: Some(back), ahead: Some(0) };
    let (wide, said) = (Reach::BEFORE, r#""use_sliding_window": true, "sliding_window": 8"#);
    for (kind, more, expected) in [
        ("llama", said, [wide; 3]),
        // transformers' default of Mistral is a window of 4096, and `null` says that there is none.
        ("mistral", r#""num_key_value_heads": 4"#, [near(4095); 3]),
        ("mistral", r#""sliding_window": null"#, [wide; 3]),
        ("mistral", r#""sliding_window": 8"#, [near(7); 3]),
        ("qwen2", r#""sliding_window": 8"#, [wide; 3]),
        ("qwen2", said, [wide; 3]),
        ("qwen3", &format!(r#"{said}, "max_window_layers": 2"#), [wide, wide, near(7)]),
        (
            "qwen3",
            &format!(r#"{said}, "layer_types": ["sliding_attention", "full_attention", "full_attention"]"#),
            [near(7), wide, wide],
        ),
    ] {
        let backbone = described(&format!(r#"{{"model_type": "{kind}", {SIZES}, {more}}}"#)).unwrap();
        assert_eq!(reaches(&backbone.network), expected, "{kind}: {more}");
        assert_eq!(backbone.default_tap, "mean");
    }
    let gemmas = r#""head_dim": 4, "num_key_value_heads": 2, "sliding_window": 8"#;
    let sides = Reach { back: Some(4), ahead: Some(4) };
    for (kind, more, expected) in [
        ("gemma", "", [wide; 3]),
        ("gemma2", r#", "attn_logit_softcapping": null"#, [near(7), wide, near(7)]),
        ("gemma3_text", "", [near(7); 3]),
        ("gemma3_text", r#", "sliding_window_pattern": 3"#, [near(7), near(7), wide]),
        (
            "gemma3_text",
            r#", "sliding_window_pattern": 2, "use_bidirectional_attention": true"#,
            [sides, Reach::ALL, sides],
        ),
    ] {
        let backbone = described(&format!(r#"{{"model_type": "{kind}", {SIZES}, {gemmas}{more}}}"#)).unwrap();
        assert_eq!(reaches(&backbone.network), expected, "{kind}: {more}");
    }
    let modern =
        described(&format!(r#"{{"model_type": "modernbert", {SIZES}, "local_attention": 10}}"#)).unwrap();
    let near = Reach { back: Some(5), ahead: Some(5) };
    assert_eq!(reaches(&modern.network), [Reach::ALL, near, near]);
    assert_eq!(thetas(&modern), [160_000.0, 10_000.0, 10_000.0]);
}

/// Of each layer.
fn thetas(backbone: &Backbone) -> Vec<f32> {
    rotaries(&backbone.network).iter().step_by(2).map(|how| how.theta).collect()
}

#[test]
fn gemmas_windows_turn_by_angles_of_their_own() {
    let scaled = Some(Scaling::Linear { factor: 8.0 });
    for (said, expected) in [
        (r#""rope_theta": 2e6, "rope_scaling": {"rope_type": "linear", "factor": 8.0}"#, [1e4, 2e6, 1e4]),
        (
            r#""rope_theta": 2e6, "rope_local_base_freq": 3e3, "rope_scaling": {"type": "linear", "factor": 8.0}"#,
            [3e3, 2e6, 3e3],
        ),
        (
            r#""rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5e5},
            "sliding_attention": {"rope_type": "default", "rope_theta": 2e4}}"#,
            [2e4, 5e5, 2e4],
        ),
    ] {
        let config = format!(
            r#"{{"model_type": "gemma3_text", {SIZES}, "head_dim": 4, "sliding_window_pattern": 2, {said}}}"#
        );
        let backbone = described(&config).unwrap();
        assert_eq!(thetas(&backbone), expected, "{said}");
        let scalings: Vec<_> = rotaries(&backbone.network).iter().step_by(2).map(|how| how.scaling).collect();
        assert_eq!(scalings, [None, scaled, None], "{said}");
    }
}

#[test]
fn a_part_of_a_neox_head_turns() {
    for (said, turned) in [
        (r#""rotary_pct": 0.5, "rotary_emb_base": 500"#, (6, 500.0)),
        (r#""rope_parameters": {"partial_rotary_factor": 0.34, "rope_theta": 7e4}"#, (4, 7e4)),
        (r#""rotary_pct": 1.0"#, (12, 1e4)),
    ] {
        let backbone = described(&format!(r#"{{"model_type": "gpt_neox", {SIZES}, {said}}}"#)).unwrap();
        let rotary = rotaries(&backbone.network)[0];
        assert_eq!((rotary.depth, rotary.turned, rotary.theta), (12, turned.0, turned.1), "{said}");
    }
}

#[test]
fn angles_are_read_as_old_and_new_files_say_them() {
    let llama3 = r#""factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64"#;
    let scaled = Scaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, places: 64 };
    for (said, theta, scaling) in [
        (r#""hidden_act": "silu""#.to_owned(), 1e4, None),
        (r#""rope_theta": 5e5"#.to_owned(), 5e5, None),
        (
            r#""rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 4.0}"#.to_owned(),
            5e5,
            Some(Scaling::Linear { factor: 4.0 }),
        ),
        (
            format!(r#""rope_theta": 5e5, "rope_scaling": {{"rope_type": "llama3", {llama3}}}"#),
            5e5,
            Some(scaled),
        ),
        (
            format!(r#""rope_parameters": {{"rope_type": "llama3", "rope_theta": 2e5, {llama3}}}"#),
            2e5,
            Some(scaled),
        ),
        (r#""rope_parameters": {"rope_type": "default", "rope_theta": 1e6}"#.to_owned(), 1e6, None),
    ] {
        let backbone = described(&format!(r#"{{"model_type": "llama", {SIZES}, {said}}}"#)).unwrap();
        let rotary = rotaries(&backbone.network)[0];
        assert_eq!((rotary.depth, rotary.turned), (12, 12));
        assert!(
            (rotary.theta - theta).abs() < f32::EPSILON && rotary.scaling == scaling,
            "{said}: {rotary:?}"
        );
    }
}

#[test]
fn nomics_own_words_are_read() {
    let own = r#""n_embd": 48, "n_layer": 2, "n_head": 4, "n_inner": 64, "vocab_size": 1000, "n_positions": 640,
        "activation_function": "swiglu", "layer_norm_epsilon": 1e-12, "rotary_emb_base": 1000, "rotary_emb_fraction": 1.0,
        "max_trained_positions": 512"#;
    let both = r#""hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
        "hidden_act": "silu", "layer_norm_eps": 1e-12, "max_position_embeddings": 512"#;
    let read = |said: &str| {
        let backbone = described(&format!(r#"{{"model_type": "nomic_bert", {said}}}"#)).unwrap();
        let Some(Recipe::Text(how)) = &backbone.recipe else { panic!("texts") };
        (backbone.network.fingerprint(), how.max_tokens())
    };
    let (network, tokens) = read(own);
    assert_eq!(tokens, 640);
    assert_eq!(read(&format!("{own}, {both}")), (network, 640));
    assert_eq!(read(&format!(r#"{own}, "rotary_scaling_factor": 2.0"#)), (network, 512));
}

#[test]
fn some_layers_of_smollm3_do_not_turn() {
    for (said, layers) in [
        (r#""no_rope_layer_interval": 2"#, [0, 2].as_slice()),
        (r#""no_rope_layers": [0, 1, 1, 0]"#, &[1, 2]),
        (r#""mlp_bias": true"#, &[0, 1, 2]),
    ] {
        let backbone = described(&format!(r#"{{"model_type": "smollm3", {SIZES}, {said}}}"#)).unwrap();
        let turned = |layer: &usize| {
            let name = format!("layers.{layer}.self_attn.q_turned");
            backbone.network.nodes().iter().any(|node| node.name == name)
        };
        assert_eq!((0..3).filter(turned).collect::<Vec<_>>(), layers, "{said}");
        assert_eq!(rotaries(&backbone.network)[0].theta, 2e6);
    }
}

#[test]
fn decoders_that_are_not_built_are_one_line() {
    for (kind, said, part) in [
        ("llama", r#""rope_scaling": {"rope_type": "yarn", "factor": 2.0}"#, "`rope_type` `yarn`"),
        ("llama", r#""rope_scaling": {"rope_type": "linear"}"#, "`factor` is missing"),
        ("llama", r#""partial_rotary_factor": 0.5"#, "`partial_rotary_factor`"),
        ("llama", r#""head_dim": 7"#, "expected an even number"),
        ("llama", r#""num_key_value_heads": 3"#, "key-value heads"),
        ("llama", r#""rope_theta": -1.0"#, "`rope_theta`"),
        ("llama", r#""max_position_embeddings": 0"#, "a length of texts"),
        ("llama", r#""hidden_act": "swoosh""#, "`hidden_act` `swoosh`"),
        ("smollm3", r#""no_rope_layers": [1, 0]"#, "2 entries for 3 layers"),
        ("smollm3", r#""use_sliding_window": true"#, "use_sliding_window"),
        ("mistral", r#""sliding_window": 0"#, "`sliding_window` `0`"),
        (
            "qwen3",
            r#""use_sliding_window": true, "layer_types": ["full_attention"]"#,
            "1 entries for 3 layers",
        ),
        ("qwen3", r#""use_sliding_window": true, "layer_types": ["a", "b", "c"]"#, "the layer type `a`"),
        ("modernbert", r#""norm_bias": true"#, "norm_bias"),
        ("mpnet", r#""relative_attention_num_buckets": 16"#, "relative_attention_num_buckets"),
        ("gpt2", r#""scale_attn_by_inverse_layer_idx": true"#, "scale_attn_by_inverse_layer_idx"),
        ("gpt2", r#""n_head": 5"#, "heads that do not divide"),
        ("deberta-v2", r#""embedding_size": 8"#, "of texts bert, roberta"),
        ("albert", r#""num_hidden_groups": 2"#, "num_hidden_groups"),
        ("albert", r#""inner_group_num": 3"#, "inner_group_num"),
        ("gpt_neox", r#""num_attention_heads": 5"#, "heads that do not divide"),
        ("gpt_neox", r#""rotary_pct": 0.6"#, "a part that turns of `7`"),
        ("gpt_neox", r#""rotary_pct": 1.5"#, "a part that turns of `18`"),
        ("gpt_neox", r#""rotary_pct": -1"#, "a part that turns of `0`"),
        ("gpt_neox", r#""rotary_pct": 1.0, "hidden_act": "swoosh""#, "`hidden_act` `swoosh`"),
        ("gemma", r#""head_dim": 4, "use_bidirectional_attention": true"#, "use_bidirectional_attention"),
        ("gemma", r#""head_dim": 0"#, "a size of"),
        ("gemma", r#""num_key_value_heads": 3"#, "key-value heads"),
        ("gemma2", r#""head_dim": 4"#, "attn_logit_softcapping"),
        ("gemma2", r#""attn_logit_softcapping": 50.0"#, "attn_logit_softcapping"),
        ("gemma3_text", r#""attn_logit_softcapping": 50.0"#, "attn_logit_softcapping"),
        ("gemma3_text", r#""sliding_window": 0"#, "`sliding_window` `0`"),
        ("gemma3_text", r#""query_pre_attn_scalar": 0"#, "`query_pre_attn_scalar`"),
        ("gemma3_text", r#""layer_types": ["full_attention"]"#, "1 entries for 3 layers"),
        ("nomic_bert", r#""prenorm": true"#, "prenorm"),
        ("nomic_bert", r#""rotary_emb_fraction": 0.5"#, "rotary_emb_fraction"),
        ("nomic_bert", r#""head_dim": 8"#, "head_dim"),
        ("gte", r#""rope_scaling": {"type": "ntk", "factor": 2.0}"#, "`rope_type` `ntk`"),
        ("t5", r#""relative_attention_num_buckets": 30"#, "relative_attention_num_buckets"),
        ("t5", r#""feed_forward_proj": "gated-swoosh""#, "`hidden_act` `swoosh`"),
    ] {
        let error = described(&format!(r#"{{"model_type": "{kind}", {SIZES}, {said}}}"#)).err().unwrap();
        let message = error.to_string();
        assert!(message.contains(part) && !message.contains('\n'), "{kind}: {message}");
    }
}
