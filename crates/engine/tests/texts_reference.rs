//! Networks of texts against transformers in float64.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::{
    Tolerance, filled_in_parts,
    rows::OUTPUTS,
    text_networks::{BASE, GPT2, MPNET, Place, T5_TWO, gemma, llama, modern, nomic, same, text, turned},
    uniform,
};
use headstart_engine::{Cpu, Executor as _, Reference};
use input::Inputs;
use network::{
    Activation, Network, Reach, Rotary, Scaling, Stored,
    families::{
        bert::{self, Bert},
        gpt_neox::{self, GptNeox},
        gpt2::{self, Gpt2},
        llama::{self, Llama},
        modernbert,
        nomic::NomicBert,
        t5::T5,
    },
};

fn mini() -> Bert {
    Bert { embedded: 384, width: 384, depth: 6, hidden: 1536, ..BASE }
}

/// The reference's two texts, of 24 and of 15 tokens.
fn two(vocabulary: usize) -> Inputs {
    let id = |i: usize| (uniform("ids", i) * (vocabulary - 2) as f64) as u32 + 1;
    Inputs::of([text((0..24).map(id)), text((24..39).map(id))])
}

fn check(peer: &str, network: &Network, vocabulary: usize, place: Place, tolerance: &Tolerance) {
    let expected = &OUTPUTS[&format!("transformers/{peer}")];
    let taps: Vec<&str> = expected.keys().map(String::as_str).collect();
    let filled = || filled_in_parts(network.for_taps(&taps).unwrap(), place);
    let (inputs, recipe) = (two(vocabulary), common::texts());
    let reference = Reference::new(filled(), &recipe).unwrap().run(inputs.batch()).unwrap();
    let ours = Cpu::new(filled(), &recipe).unwrap().run(inputs.batch()).unwrap();
    for ((tap, values), (reference, ours)) in expected.iter().zip(reference.iter().zip(&ours)) {
        tolerance.check(&format!("{peer}/{tap}, reference"), reference, values);
        tolerance.check(&format!("{peer}/{tap}, cpu"), ours, values);
    }
}

#[test]
fn bert_is_transformers() {
    check("bert_minilm_l6_384", &mini().network("bert", None), BASE.vocabulary, bert::bert, &Tolerance(1e-5));
    check("bert_base", &BASE.network("bert", None), BASE.vocabulary, bert::bert, &Tolerance(1e-5));
}

#[test]
fn roberta_is_transformers() {
    let base = Bert {
        vocabulary: 50_265,
        places: 514,
        first_place: 2,
        padding: Some(1),
        segments: 1,
        eps: 1e-5,
        ..BASE
    };
    let small = Bert { vocabulary: 5000, embedded: 384, width: 384, depth: 6, hidden: 1536, ..base };
    let xlm = |roberta: &Bert, vocabulary| Bert { vocabulary, ..roberta.clone() };
    for (peer, roberta) in [
        ("xlm_roberta_base", xlm(&base, 20_000)),
        ("xlm_roberta_small", xlm(&small, 5000)),
        ("roberta_base", base),
        ("roberta_small", small),
    ] {
        let network = roberta.network("roberta", None);
        check(peer, &network, roberta.vocabulary, bert::bert, &Tolerance(1e-5));
    }
}

#[test]
fn distilbert_is_transformers() {
    let base = Bert { segments: 0, depth: 6, ..BASE };
    let small = Bert { vocabulary: 5000, embedded: 384, width: 384, depth: 3, hidden: 1536, ..base };
    for (peer, distilbert) in [("distilbert_base", base), ("distilbert_small", small)] {
        let network = distilbert.network("distilbert", None);
        check(peer, &network, distilbert.vocabulary, bert::distilbert, &Tolerance(1e-5));
    }
}

#[test]
fn mpnet_is_transformers() {
    let small =
        Bert { vocabulary: 5000, embedded: 384, width: 384, depth: 6, hidden: 1536, eps: 1e-12, ..MPNET };
    for (peer, mpnet) in [("mpnet_base", MPNET), ("mpnet_small", small)] {
        check(peer, &mpnet.network("mpnet", None), mpnet.vocabulary, bert::mpnet, &Tolerance(1e-5));
    }
}

#[test]
fn albert_is_transformers() {
    let base =
        Bert { vocabulary: 30_000, embedded: 128, shared: true, activation: Activation::GeluTanh, ..BASE };
    let activation = Activation::Gelu;
    let small =
        Bert { vocabulary: 5000, embedded: 64, width: 384, depth: 6, hidden: 1536, activation, ..base };
    for (peer, albert) in [("albert_base", base), ("albert_small", small)] {
        check(peer, &albert.network("albert", None), albert.vocabulary, bert::albert, &Tolerance(1e-5));
    }
}

#[test]
fn t5_is_transformers() {
    // Not as deep as published ones: scores that nobody divides make much of roundings, PyTorch's own among them.
    let gated = T5 {
        vocabulary: 5000,
        width: 384,
        heads: 6,
        head: 16,
        distances: 16,
        farthest: 20,
        hidden: 1024,
        activation: Activation::GeluTanh,
        gated: true,
        ..T5_TWO
    };
    for (peer, t5) in [("t5_two_layers", T5_TWO), ("t5_gated", gated)] {
        // The table was filled by the second of its two names.
        let place = |param: &str| match param {
            "shared.weight" => Stored::As("encoder.embed_tokens.weight".to_owned()),
            _ => same(param),
        };
        check(peer, &t5.network("t5", None), t5.vocabulary, place, &Tolerance(1e-5));
    }
}

#[test]
fn modernbert_is_transformers() {
    for (peer, modern) in [
        ("modernbert_base", modern((50_368, 768, 1152), 22, 64)),
        ("modernbert_small", modern((5000, 384, 576), 6, 6)),
    ] {
        let network = modern.network("modernbert", None);
        check(peer, &network, modern.vocabulary, modernbert::modernbert, &Tolerance(1e-5));
    }
}

#[test]
fn nomic_bert_and_gte_are_transformers() {
    let gte = |nomic: NomicBert| NomicBert {
        segments: 1,
        rotary: turned(nomic.rotary.depth, 160_000.0),
        activation: Activation::Gelu,
        bias: true,
        ..nomic
    };
    for (peer, nomic) in [
        ("nomic_bert_wide", nomic((30_528, 768, 2048), 12, 4)),
        ("nomic_bert_small", nomic((5000, 384, 1024), 12, 6)),
        ("gte_wide", gte(nomic((20_000, 768, 2048), 12, 4))),
        ("gte_small", gte(nomic((5000, 384, 1024), 12, 6))),
    ] {
        check(peer, &nomic.network("nomic_bert", None), nomic.vocabulary, same, &Tolerance(1e-5));
    }
}

#[test]
fn gpt2_is_transformers() {
    let small = Gpt2 {
        vocabulary: 5000,
        places: 512,
        width: 384,
        depth: 6,
        hidden: 1536,
        activation: Activation::Gelu,
        ..GPT2
    };
    for (peer, gpt2) in [("gpt2", GPT2), ("gpt2_small", small)] {
        check(peer, &gpt2.network("gpt2", None), gpt2.vocabulary, gpt2::gpt2, &Tolerance(1e-5));
    }
}

#[test]
fn gpt_neox_is_transformers() {
    let pythia = GptNeox {
        vocabulary: 50_304,
        width: 512,
        depth: 6,
        heads: 8,
        rotary: Rotary { turned: 16, ..turned(64, 1e4) },
        hidden: 2048,
        activation: Activation::Gelu,
        eps: 1e-5,
        attention_bias: true,
        parallel: true,
    };
    let small = GptNeox {
        vocabulary: 5000,
        width: 320,
        depth: 4,
        heads: 5,
        rotary: Rotary { turned: 32, ..turned(64, 1e4) },
        hidden: 1280,
        activation: Activation::GeluTanh,
        attention_bias: false,
        parallel: false,
        ..pythia
    };
    for (peer, neox) in [("pythia_70m", pythia), ("gpt_neox_small", small)] {
        let network = neox.network("gpt_neox", None);
        check(peer, &network, neox.vocabulary, gpt_neox::gpt_neox, &Tolerance(1e-5));
    }
}

fn biased(llama: Llama) -> Llama {
    Llama { projection_bias: true, out_bias: true, mlp_bias: true, ..llama }
}

#[test]
fn llama_mistral_and_qwen_are_transformers() {
    let (all, near) = (vec![Reach::BEFORE; 4], Reach { back: Some(6), ahead: Some(0) });
    let smollm = Llama {
        vocabulary: 49_152,
        width: 576,
        heads: 9,
        hidden: 1536,
        eps: 1e-5,
        ..llama(3, turned(64, 1e4), vec![Reach::BEFORE; 30])
    };
    let scaling = Scaling::Llama3 { factor: 32.0, low: 1.0, high: 4.0, places: 64 };
    let scaled = Rotary { scaling: Some(scaling), ..turned(64, 5e5) };
    let qwen2 =
        |key_heads, rotary, layers| Llama { projection_bias: true, ..llama(key_heads, rotary, layers) };
    // Each so many layers do not turn.
    let smollm3 = |mut llama: Llama, every: usize| {
        llama.layers.iter_mut().skip(every - 1).step_by(every).for_each(|layer| layer.1 = None);
        llama
    };
    let qwen3 =
        |key_heads, rotary| Llama { head_norms: true, ..llama(key_heads, rotary, vec![Reach::BEFORE; 4]) };
    for (peer, llama) in [
        ("smollm_135m", smollm),
        ("llama3_small", Llama { eps: 1e-5, ..llama(1, scaled, all.clone()) }),
        ("mistral_small", llama(5, turned(64, 1e4), vec![near; 4])),
        ("mistral_wide", llama(1, turned(96, 1e4), all.clone())),
        ("smollm3_small", smollm3(llama(1, turned(64, 2e6), all.clone()), 2)),
        ("smollm3_biased", smollm3(biased(llama(5, turned(64, 2e6), all.clone())), 4)),
        ("qwen2_small", qwen2(1, turned(64, 1e6), all.clone())),
        ("qwen2_sliding", qwen2(5, turned(64, 1e4), vec![Reach::BEFORE, Reach::BEFORE, near, near])),
        ("qwen3_small", qwen3(1, turned(128, 1e6))),
        ("qwen3_even", qwen3(5, turned(72, 1e4))),
    ] {
        check(peer, &llama.network("llama", None), llama.vocabulary, same, &Tolerance(1e-5));
    }
}

#[test]
fn gemma_is_transformers() {
    let before = |back| Reach { back: Some(back), ahead: Some(0) };
    let (all, near, narrow) = (Reach::BEFORE, before(6), before(3));
    let second = |scale: f32, gemma| Llama { post_norms: true, scale: Some(scale.sqrt().recip()), ..gemma };
    // Layers that see a window turn by angles of their own.
    let third = |scale, gemma: Llama, wide: Rotary, local: Reach| {
        let turn = |(reach, narrow)| (reach, if reach == local { narrow } else { Some(wide) });
        let layers = gemma.layers.iter().copied().map(turn).collect();
        Llama { head_norms: true, layers, ..second(scale, gemma) }
    };
    let scaled = Rotary { scaling: Some(Scaling::Linear { factor: 8.0 }), ..turned(96, 1e6) };
    let sides = Reach { back: Some(6), ahead: Some(6) };
    let (wide, side) = (vec![near, near, all, near], vec![sides, Reach::ALL, sides, sides]);
    for (peer, gemma) in [
        ("gemma_small", gemma(1, turned(96, 1e4), vec![all; 4])),
        ("gemma_biased", Llama { mlp_bias: false, ..biased(gemma(5, turned(64, 1e4), vec![all; 4])) }),
        ("gemma2_small", second(100.0, gemma(1, turned(96, 1e4), vec![near, all, near, all]))),
        ("gemma2_even", second(64.0, gemma(5, turned(64, 1e4), vec![all, all, narrow, narrow]))),
        ("gemma3_small", third(100.0, gemma(1, turned(96, 1e4), wide), scaled, near)),
        ("gemma3_both_sides", third(64.0, gemma(5, turned(64, 1e4), side), turned(64, 1e6), sides)),
    ] {
        check(peer, &gemma.network("gemma", None), gemma.vocabulary, llama::gemma, &Tolerance(1e-5));
    }
}
