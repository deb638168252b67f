//! Networks of texts: against transformers in float64, and the same bits alone, in a batch, in any order.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::{Tolerance, filled_in_parts, rows::OUTPUTS, uniform};
use headstart_engine::{Cpu, Executor as _, Isa, Reference};
use input::{Inputs, text::Token};
use network::{
    Activation, Network, Stored,
    families::bert::{self, Bert},
};
use weights::{Bound, Tensor};

/// Devlin et al.'s base.
const BASE: Bert = Bert {
    vocabulary: 30_522,
    places: 512,
    first_place: 0,
    padding: None,
    segments: 2,
    width: 768,
    depth: 12,
    heads: 12,
    hidden: 3072,
    activation: Activation::Gelu,
    eps: 1e-12,
    pooler: false,
};

fn mini() -> Bert {
    Bert { width: 384, depth: 6, hidden: 1536, ..BASE }
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

fn check(peer: &str, network: &Network, vocabulary: usize, place: fn(&str) -> Stored, tolerance: &Tolerance) {
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
    let roberta = Bert {
        vocabulary: 50_265,
        places: 514,
        first_place: 2,
        padding: Some(1),
        segments: 1,
        eps: 1e-5,
        ..BASE
    };
    check(
        "roberta_base",
        &roberta.network("roberta", None),
        roberta.vocabulary,
        bert::bert,
        &Tolerance(1e-5),
    );
}

#[test]
fn distilbert_is_transformers() {
    let distilbert = Bert { segments: 0, depth: 6, ..BASE };
    let network = distilbert.network("distilbert", None);
    check("distilbert_base", &network, BASE.vocabulary, bert::distilbert, &Tolerance(1e-5));
}

#[test]
fn a_text_s_bits_depend_on_nothing_but_itself() {
    let small = Bert { vocabulary: 1000, width: 96, depth: 2, heads: 4, hidden: 200, pooler: true, ..BASE };
    let sentence = network::families::text::Sentence {
        pooling: vec![network::families::text::Pooling::Mean],
        normalized: true,
    };
    let network = small.network("bert", Some(&sentence));
    let taps = ["cls", "mean", "max", "last", "pooled", "sentence", "layer:1"];
    let filled = || filled_in_parts(network.for_taps(&taps).unwrap(), bert::bert);
    let recipe = common::texts();
    // Lengths from 1 to 512, in no order.
    let length = |i: usize| 1 + (uniform("lengths", i).powi(3) * 511.0) as usize;
    let texts: Vec<Vec<u8>> = (0..64)
        .map(|i| text((0..length(i)).map(|at| (uniform("tokens", i * 512 + at) * 1000.0) as u32)))
        .chain([text((0..512).map(|at| at as u32))])
        .collect();
    let mut cpu = Cpu::new(filled(), &recipe).unwrap();
    let row = |outputs: &[Vec<f32>], i: usize| -> Vec<u32> {
        let each = outputs.iter().map(|rows| (rows, rows.len() / (outputs[0].len() / cpu_width())));
        each.flat_map(|(rows, d)| &rows[i * d..][..d]).map(|x| x.to_bits()).collect()
    };
    let together = cpu.run(Inputs::of(texts.clone()).batch()).unwrap();
    let backwards = cpu.run(Inputs::of(texts.iter().rev().cloned()).batch()).unwrap();
    for (i, one) in texts.iter().enumerate() {
        let alone = cpu.run(Inputs::of([one.clone()]).batch()).unwrap();
        assert_eq!(row(&alone, 0), row(&together, i), "text {i} of {} tokens", one.len() / 4);
        assert_eq!(row(&alone, 0), row(&backwards, texts.len() - 1 - i), "text {i}, backwards");
    }
    for isa in Isa::available() {
        let theirs =
            Cpu::with_isa(filled(), &recipe, isa).unwrap().run(Inputs::of(texts.clone()).batch()).unwrap();
        assert!(theirs == together, "{isa:?}");
    }
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(threads.install(|| cpu.run(Inputs::of(texts.clone()).batch()).unwrap()) == together);
    let reference = Reference::new(filled(), &recipe).unwrap().run(Inputs::of(texts).batch()).unwrap();
    for (tap, (ours, theirs)) in taps.iter().zip(together.iter().zip(&reference)) {
        Tolerance(1e-5).check(tap, ours, theirs);
    }
    let norm: f64 = together[5][..96].iter().map(|x| f64::from(*x).powi(2)).sum();
    assert!((norm - 1.0).abs() < 1e-6);
}

/// d of the first tap.
fn cpu_width() -> usize {
    96
}

#[test]
fn what_a_network_has_nothing_for_is_refused() {
    let small =
        Bert { vocabulary: 10, places: 512, width: 16, depth: 1, heads: 2, hidden: 32, segments: 1, ..BASE };
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
