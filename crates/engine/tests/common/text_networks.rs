//! Networks of texts that several tests build.

use input::text::Token;
use network::{
    Activation, Network, Pairs, Reach, Rotary, Stored,
    families::{
        bert::{self, Bert},
        gpt_neox::{self, GptNeox},
        gpt2::{self, Gpt2},
        llama::{self, Llama},
        modernbert::{self, ModernBert},
        nomic::NomicBert,
        t5::T5,
        text::{Dense, Pooling, Sentence},
    },
};

/// Devlin et al.'s base.
pub(crate) const BASE: Bert = Bert {
    vocabulary: 30_522,
    places: 512,
    first_place: 0,
    padding: None,
    distances: None,
    segments: 2,
    embedded: 768,
    width: 768,
    depth: 12,
    shared: false,
    heads: 12,
    hidden: 3072,
    activation: Activation::Gelu,
    eps: 1e-12,
    pooler: false,
};

/// Tokens as batches hold them.
pub(crate) fn text(ids: impl IntoIterator<Item = u32>) -> Vec<u8> {
    ids.into_iter().flat_map(|id| Token::new(id, false).bytes()).collect()
}

/// Song et al.'s base.
pub(crate) const MPNET: Bert = Bert {
    vocabulary: 30_527,
    places: 514,
    first_place: 2,
    padding: Some(1),
    distances: Some((32, 128)),
    segments: 0,
    eps: 1e-5,
    pooler: true,
    ..BASE
};

/// Raffel et al.'s small one, its first two layers.
pub(crate) const T5_TWO: T5 = T5 {
    vocabulary: 32_128,
    width: 512,
    depth: 2,
    heads: 8,
    head: 64,
    distances: 32,
    farthest: 128,
    hidden: 2048,
    activation: Activation::Relu,
    gated: false,
    eps: 1e-6,
};

/// Where parameters are called as ours.
pub(crate) fn same(param: &str) -> Stored {
    Stored::As(param.to_owned())
}

pub(crate) fn turned(depth: usize, theta: f32) -> Rotary {
    Rotary { depth, turned: depth, theta, pairs: Pairs::Halves, scaling: None }
}

/// Warner et al.'s sizes; every third layer sees all tokens, the others `side` to either side.
pub(crate) fn modern(
    (vocabulary, width, hidden): (usize, usize, usize),
    layers: usize,
    side: usize,
) -> ModernBert {
    let near = Reach { back: Some(side), ahead: Some(side) };
    let layer = |at: usize| match at % 3 {
        0 => (Reach::ALL, turned(width / 12, 160_000.0)),
        _ => (near, turned(width / 12, 10_000.0)),
    };
    let layers = (0..layers).map(layer).collect();
    ModernBert { vocabulary, width, heads: 12, layers, hidden, activation: Activation::Gelu, eps: 1e-5 }
}

/// Nussbaum et al.'s sizes.
pub(crate) fn nomic(
    (vocabulary, width, hidden): (usize, usize, usize),
    heads: usize,
    depth: usize,
) -> NomicBert {
    NomicBert {
        vocabulary,
        segments: 2,
        width,
        depth,
        heads,
        rotary: turned(width / heads, 1000.0),
        hidden,
        activation: Activation::Silu,
        eps: 1e-12,
        bias: false,
    }
}

/// Radford et al.'s smallest.
pub(crate) const GPT2: Gpt2 = Gpt2 {
    vocabulary: 50_257,
    places: 1024,
    width: 768,
    depth: 12,
    heads: 12,
    hidden: 3072,
    activation: Activation::GeluTanh,
    eps: 1e-5,
};

/// Of 4 layers, 5 heads and 320 numbers, as the rows of small decoders are.
pub(crate) fn llama(key_heads: usize, rotary: Rotary, layers: Vec<Reach>) -> Llama {
    Llama {
        vocabulary: 5000,
        width: 320,
        heads: 5,
        key_heads,
        head: rotary.depth,
        layers: layers.into_iter().map(|reach| (reach, Some(rotary))).collect(),
        scale: None,
        hidden: 864,
        activation: Activation::Silu,
        eps: 1e-6,
        projection_bias: false,
        out_bias: false,
        mlp_bias: false,
        head_norms: false,
        post_norms: false,
        gemma: false,
    }
}

/// The same of a Gemma.
pub(crate) fn gemma(key_heads: usize, rotary: Rotary, layers: Vec<Reach>) -> Llama {
    Llama { activation: Activation::GeluTanh, gemma: true, ..llama(key_heads, rotary, layers) }
}

pub(crate) type Place = fn(&str) -> Stored;

/// Small networks with all that attention within texts can be told, and how their parameters are filled.
pub(crate) fn small() -> Vec<(Network, Place)> {
    let sentence = Sentence { pooling: vec![Pooling::Mean], dense: Vec::new(), normalized: true };
    let bert = Bert {
        vocabulary: 1000,
        embedded: 32,
        width: 96,
        depth: 2,
        heads: 4,
        hidden: 200,
        pooler: true,
        ..BASE
    };
    let mpnet = Bert { vocabulary: 1000, embedded: 96, width: 96, depth: 2, heads: 4, hidden: 200, ..MPNET };
    let gpt2 = Gpt2 { vocabulary: 1000, width: 96, depth: 2, heads: 4, hidden: 200, ..GPT2 };
    let near = Reach { back: Some(40), ahead: Some(0) };
    // Heads of 18 numbers, of which 12 turn; two heads of queries share keys.
    let rotary = Rotary { turned: 12, pairs: Pairs::Neighbours, ..turned(18, 1e4) };
    let llama = Llama {
        vocabulary: 1000,
        width: 96,
        heads: 4,
        hidden: 200,
        mlp_bias: true,
        out_bias: true,
        head_norms: true,
        ..llama(2, rotary, vec![Reach::BEFORE, near])
    };
    let t5 = T5 {
        vocabulary: 1000,
        width: 96,
        depth: 2,
        heads: 4,
        head: 20,
        distances: 16,
        farthest: 50,
        hidden: 200,
        activation: Activation::GeluTanh,
        gated: true,
        ..T5_TWO
    };
    let albert = Bert { shared: true, ..bert.clone() };
    let neox = GptNeox {
        vocabulary: 1000,
        width: 96,
        depth: 2,
        heads: 4,
        rotary: Rotary { turned: 12, ..turned(24, 1e4) },
        hidden: 200,
        activation: Activation::Gelu,
        eps: 1e-5,
        attention_bias: true,
        parallel: true,
    };
    // A wide layer and a narrow one, with angles of their own, and heads that are no part of the width.
    let sides = Reach { back: Some(30), ahead: Some(30) };
    let gemma = Llama {
        vocabulary: 1000,
        width: 96,
        heads: 4,
        hidden: 200,
        layers: vec![(sides, Some(turned(20, 1e4))), (Reach::ALL, Some(turned(20, 1e6)))],
        scale: Some(0.1),
        head_norms: true,
        post_norms: true,
        ..gemma(2, turned(20, 1e4), Vec::new())
    };
    let dense = |bias, activation| Dense { out: 96, bias, activation };
    let dense = vec![dense(true, Some(Activation::Tanh)), dense(false, None)];
    let projected = Sentence { dense, ..sentence.clone() };
    let (sentence, projected) = (Some(&sentence), Some(&projected));
    vec![
        (bert.network("bert", sentence), bert::bert),
        (mpnet.network("mpnet", sentence), bert::mpnet),
        (gpt2.network("gpt2", sentence), gpt2::gpt2),
        (modern((1000, 96, 200), 2, 30).network("modernbert", sentence), modernbert::modernbert),
        (nomic((1000, 96, 200), 4, 2).network("nomic_bert", sentence), same),
        (llama.network("llama", sentence), same),
        (t5.network("t5", sentence), same),
        (albert.network("albert", projected), bert::albert),
        (neox.network("gpt_neox", sentence), gpt_neox::gpt_neox),
        (gemma.network("gemma", sentence), llama::gemma),
    ]
}
