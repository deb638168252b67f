//! Networks of texts: against transformers in float64, and the same bits alone, in a batch, in any order.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::{Tolerance, filled_in_parts, rows::OUTPUTS, uniform};
use headstart_engine::{Cpu, Executor as _, Interpreter, Isa, Reference};
use input::{Inputs, text::Token};
use network::{
    Activation, Network, Pairs, Reach, Rotary, Scaling, Stored,
    families::{
        bert::{self, Bert},
        gpt2::{self, Gpt2},
        llama::Llama,
        modernbert::{self, ModernBert},
        static_embeddings::StaticEmbeddings,
        t5::T5,
        text::{Pooling, Sentence},
    },
};
use weights::{Bound, Tensor};

/// Devlin et al.'s base.
const BASE: Bert = Bert {
    vocabulary: 30_522,
    places: 512,
    first_place: 0,
    padding: None,
    distances: None,
    segments: 2,
    embedded: 768,
    width: 768,
    depth: 12,
    heads: 12,
    hidden: 3072,
    activation: Activation::Gelu,
    eps: 1e-12,
    pooler: false,
};

fn mini() -> Bert {
    Bert { embedded: 384, width: 384, depth: 6, hidden: 1536, ..BASE }
}

/// Tokens as batches hold them.
fn text(ids: impl IntoIterator<Item = u32>) -> Vec<u8> {
    ids.into_iter().flat_map(|id| Token::new(id, false).bytes()).collect()
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
    for (peer, roberta) in [("roberta_base", base), ("roberta_small", small)] {
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

/// Song et al.'s base.
const MPNET: Bert = Bert {
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

#[test]
fn mpnet_is_transformers() {
    let small =
        Bert { vocabulary: 5000, embedded: 384, width: 384, depth: 6, hidden: 1536, eps: 1e-12, ..MPNET };
    for (peer, mpnet) in [("mpnet_base", MPNET), ("mpnet_small", small)] {
        check(peer, &mpnet.network("mpnet", None), mpnet.vocabulary, bert::mpnet, &Tolerance(1e-5));
    }
}

fn turned(depth: usize, theta: f32) -> Rotary {
    Rotary { depth, turned: depth, theta, pairs: Pairs::Halves, scaling: None }
}

/// Warner et al.'s sizes; every third layer sees all tokens, the others `side` to either side.
fn modern((vocabulary, width, hidden): (usize, usize, usize), layers: usize, side: usize) -> ModernBert {
    let near = Reach { back: Some(side), ahead: Some(side) };
    let layer = |at: usize| match at % 3 {
        0 => (Reach::ALL, turned(width / 12, 160_000.0)),
        _ => (near, turned(width / 12, 10_000.0)),
    };
    let layers = (0..layers).map(layer).collect();
    ModernBert { vocabulary, width, heads: 12, layers, hidden, activation: Activation::Gelu, eps: 1e-5 }
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

/// Radford et al.'s smallest.
const GPT2: Gpt2 = Gpt2 {
    vocabulary: 50_257,
    places: 1024,
    width: 768,
    depth: 12,
    heads: 12,
    hidden: 3072,
    activation: Activation::GeluTanh,
    eps: 1e-5,
};

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

/// Of 4 layers, 5 heads and 320 numbers, as the rows of small decoders are.
fn llama(key_heads: usize, rotary: Rotary, layers: Vec<Reach>) -> Llama {
    Llama {
        vocabulary: 5000,
        width: 320,
        heads: 5,
        key_heads,
        rotary,
        layers,
        hidden: 864,
        activation: Activation::Silu,
        eps: 1e-6,
        projection_bias: false,
        out_bias: false,
        mlp_bias: false,
        head_norms: false,
    }
}

#[test]
fn llama_mistral_and_qwen_are_transformers() {
    let (all, near) = (vec![Reach::BEFORE; 4], Reach { back: Some(6), ahead: Some(0) });
    let smollm = Llama {
        vocabulary: 49_152,
        width: 576,
        heads: 9,
        layers: vec![Reach::BEFORE; 30],
        hidden: 1536,
        eps: 1e-5,
        ..llama(3, turned(64, 1e4), Vec::new())
    };
    let scaling = Scaling::Llama3 { factor: 32.0, low: 1.0, high: 4.0, places: 64 };
    let scaled = Rotary { scaling: Some(scaling), ..turned(64, 5e5) };
    let qwen2 =
        |key_heads, rotary, layers| Llama { projection_bias: true, ..llama(key_heads, rotary, layers) };
    let qwen3 =
        |key_heads, rotary| Llama { head_norms: true, ..llama(key_heads, rotary, vec![Reach::BEFORE; 4]) };
    for (peer, llama) in [
        ("smollm_135m", smollm),
        ("llama3_small", Llama { eps: 1e-5, ..llama(1, scaled, all.clone()) }),
        ("mistral_small", llama(5, turned(64, 1e4), vec![near; 4])),
        ("mistral_wide", llama(1, turned(96, 1e4), all.clone())),
        ("qwen2_small", qwen2(1, turned(64, 1e6), all.clone())),
        ("qwen2_sliding", qwen2(5, turned(64, 1e4), vec![Reach::BEFORE, Reach::BEFORE, near, near])),
        ("qwen3_small", qwen3(1, turned(128, 1e6))),
        ("qwen3_even", qwen3(5, turned(72, 1e4))),
    ] {
        let same = |param: &str| Stored::As(param.to_owned());
        check(peer, &llama.network("llama", None), llama.vocabulary, same, &Tolerance(1e-5));
    }
}

type Place = fn(&str) -> Stored;

/// Small networks with all that attention within texts can be told, and how their parameters are filled.
fn small() -> Vec<(Network, Place)> {
    let sentence = Sentence { pooling: vec![Pooling::Mean], normalized: true };
    let sentence = Some(&sentence);
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
        eps: 1e-6,
    };
    vec![
        (bert.network("bert", sentence), bert::bert),
        (mpnet.network("mpnet", sentence), bert::mpnet),
        (gpt2.network("gpt2", sentence), gpt2::gpt2),
        (modern((1000, 96, 200), 2, 30).network("modernbert", sentence), modernbert::modernbert),
        (llama.network("llama", sentence), |param| Stored::As(param.to_owned())),
        (t5.network("t5", sentence), |param| Stored::As(param.to_owned())),
    ]
}

#[test]
fn a_text_s_bits_depend_on_nothing_but_itself() {
    for (network, place) in small() {
        bits(&network, place);
    }
}

fn bits(network: &Network, place: Place) {
    let mut taps = vec!["cls", "mean", "max", "last", "sentence", "layer:1"];
    if network.for_taps(&["pooled"]).is_ok() {
        taps.push("pooled");
    }
    let filled = || filled_in_parts(network.for_taps(&taps).unwrap(), place);
    let recipe = common::texts();
    // Lengths from 1 to 512, in no order.
    let length = |i: usize| 1 + (uniform("lengths", i).powi(3) * 511.0) as usize;
    let texts: Vec<Vec<u8>> = (0..64)
        .map(|i| text((0..length(i)).map(|at| (uniform("tokens", i * 512 + at) * 1000.0) as u32)))
        .chain([text((0..512).map(|at| at as u32))])
        .collect();
    let (mut cpu, name) = (Cpu::new(filled(), &recipe).unwrap(), network.name());
    let row = |outputs: &[Vec<f32>], i: usize| -> Vec<u32> {
        let each = outputs.iter().map(|rows| (rows, rows.len() / (outputs[0].len() / cpu_width())));
        each.flat_map(|(rows, d)| &rows[i * d..][..d]).map(|x| x.to_bits()).collect()
    };
    let together = cpu.run(Inputs::of(texts.clone()).batch()).unwrap();
    let backwards = cpu.run(Inputs::of(texts.iter().rev().cloned()).batch()).unwrap();
    for (i, one) in texts.iter().enumerate() {
        let alone = cpu.run(Inputs::of([one.clone()]).batch()).unwrap();
        assert_eq!(row(&alone, 0), row(&together, i), "{name}: text {i} of {} tokens", one.len() / 4);
        assert_eq!(row(&alone, 0), row(&backwards, texts.len() - 1 - i), "{name}: text {i}, backwards");
    }
    for isa in Isa::available() {
        let theirs =
            Cpu::with_isa(filled(), &recipe, isa).unwrap().run(Inputs::of(texts.clone()).batch()).unwrap();
        assert!(theirs == together, "{name}: {isa:?}");
    }
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(threads.install(|| cpu.run(Inputs::of(texts.clone()).batch()).unwrap()) == together);
    let reference = Reference::new(filled(), &recipe).unwrap().run(Inputs::of(texts).batch()).unwrap();
    for (tap, (ours, theirs)) in taps.iter().zip(together.iter().zip(&reference)) {
        Tolerance(1e-5).check(&format!("{name}/{tap}"), ours, theirs);
    }
    let norm: f64 = together[4][..96].iter().map(|x| f64::from(*x).powi(2)).sum();
    assert!((norm - 1.0).abs() < 1e-6);
}

#[test]
fn a_written_model_gives_the_same_of_padded_texts() {
    for (network, place) in small() {
        let taps = ["cls", "mean", "max", "last", "sentence", "layer:1"];
        let bound = filled_in_parts(network.for_taps(&taps).unwrap(), place);
        let recipe = common::texts();
        // Pairs go through together: of one token beside many, and of many beside one. A window is passed by the longest.
        let lengths = [1, 90, 60, 1, 7, 8];
        let texts = lengths.iter().enumerate().map(|(i, length)| {
            text((0..*length).map(|at| 2 + (uniform("onnx", i * 512 + at) * 998.0) as u32))
        });
        let inputs = Inputs::of(texts.collect::<Vec<_>>());
        let mut bytes = Vec::new();
        onnx::write(&mut bytes, &bound, (1, 1), &[]).unwrap();
        let model = onnx::read(&bytes).unwrap();
        assert_eq!(model.inputs.len(), if network.name() == "bert" { 3 } else { 2 });
        let got = Interpreter::new(model, &recipe).unwrap().run(inputs.batch()).unwrap();
        let expected = Reference::new(bound, &recipe).unwrap().run(inputs.batch()).unwrap();
        let side_by_side: Vec<f32> = (0..lengths.len())
            .flat_map(|i| expected.iter().flat_map(move |rows| &rows[i * 96..][..96]))
            .copied()
            .collect();
        Tolerance(1e-5).check(&format!("{}, ONNX", network.name()), &got[0], &side_by_side);
    }
}

/// d of the first tap.
fn cpu_width() -> usize {
    96
}

#[test]
fn what_a_network_has_nothing_for_is_refused() {
    let small = Bert {
        vocabulary: 10,
        places: 512,
        embedded: 16,
        width: 16,
        depth: 1,
        heads: 2,
        hidden: 32,
        segments: 1,
        ..BASE
    };
    let bound = || filled_in_parts(small.network("bert", None), bert::bert);
    let told = |inputs: Inputs| {
        let ours = Cpu::new(bound(), &common::texts()).unwrap().run(inputs.batch()).unwrap_err().to_string();
        let theirs =
            Reference::new(bound(), &common::texts()).unwrap().run(inputs.batch()).unwrap_err().to_string();
        assert_eq!(ours, theirs);
        ours
    };
    assert!(told(Inputs::of([text([10])])).contains("token 10 is not one of the 10"));
    assert!(told(Inputs::of([text([1; 513])])).contains("longer than its 512 places"));
    let few = Bert { places: 4, ..small.clone() };
    let few = filled_in_parts(few.network("bert", None), bert::bert);
    let message = Cpu::new(few, &common::texts()).err().unwrap().to_string();
    assert!(message.contains("it has places for 4 tokens, texts have up to 512"), "{message}");
    assert!(told(Inputs::of([text([1]), text([])])).contains("no token"));
    let picture = Cpu::new(bound(), &common::sized(32)).err().unwrap().to_string();
    assert_eq!(picture, "bert reads texts, and the recipe makes pictures");
}

#[test]
fn padding_within_a_text_has_no_place() {
    // transformers 5.24: `create_position_ids_from_input_ids` of [5, 1, 6, 7] with padding 1 is [2, 1, 3, 4].
    let roberta = Bert {
        vocabulary: 10,
        places: 514,
        first_place: 2,
        padding: Some(1),
        segments: 0,
        embedded: 16,
        width: 16,
        depth: 1,
        heads: 2,
        hidden: 32,
        ..BASE
    };
    let table = |at: usize| (0..16).map(move |i| (uniform("places", at * 16 + i) - 0.5) as f32);
    let network = roberta.network("roberta", None).for_taps(&["embeddings.position_embeddings"]).unwrap();
    let bound = Bound::from_tensors(network, "places", |param| {
        Some(Tensor { shape: param.shape.clone(), data: (0..param.shape[0]).flat_map(table).collect() })
    });
    let bound = bound.unwrap();
    let rows = Cpu::new(bound.clone(), &common::texts())
        .unwrap()
        .run(Inputs::of([text([5, 1, 6, 7])]).batch())
        .unwrap();
    let mean: Vec<f32> = (0..16)
        .map(|i| [2, 1, 3, 4].iter().map(|at| table(*at).nth(i).unwrap()).sum::<f32>() / 4.0)
        .collect();
    Tolerance(1e-6).check("places", &rows[0], &mean);
    let theirs = Reference::new(bound, &common::texts())
        .unwrap()
        .run(Inputs::of([text([5, 1, 6, 7])]).batch())
        .unwrap();
    Tolerance(1e-6).check("places", &theirs[0], &mean);
}

#[test]
fn a_table_s_rows_are_averaged() {
    let value = |row: usize, i: usize| uniform("table", row * 24 + i) - 0.5;
    let network = StaticEmbeddings { vocabulary: 50, width: 24 }.network("table", true);
    let table =
        Bound::from_tensors(network.for_taps(&["mean", "max", "sentence"]).unwrap(), "table", |param| {
            let data = (0..50 * 24).map(|at| value(at / 24, at % 24) as f32).collect();
            Some(Tensor { shape: param.shape.clone(), data })
        });
    let table = table.unwrap();
    let texts = [vec![7, 7, 49], vec![0], vec![3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]];
    let inputs = || Inputs::of(texts.iter().map(|ids| text(ids.iter().copied())));
    let ours = Cpu::new(table.clone(), &common::texts()).unwrap().run(inputs().batch()).unwrap();
    let theirs = Reference::new(table, &common::texts()).unwrap().run(inputs().batch()).unwrap();
    for (i, ids) in texts.iter().enumerate() {
        let column = |i: usize| ids.iter().map(move |id| value(*id as usize, i));
        let mean: Vec<f64> = (0..24).map(|i| column(i).sum::<f64>() / ids.len() as f64).collect();
        let length = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
        let max = (0..24).map(|i| column(i).fold(f64::MIN, f64::max)).collect();
        let sentence = mean.iter().map(|x| x / length).collect();
        for (tap, expected) in [mean, max, sentence].into_iter().enumerate() {
            let expected: Vec<f32> = expected.into_iter().map(|x| x as f32).collect();
            for outputs in [&ours, &theirs] {
                Tolerance(1e-6).check(
                    &format!("text {i}, tap {tap}"),
                    &outputs[tap][i * 24..][..24],
                    &expected,
                );
            }
        }
    }
}
