//! Networks of texts: the same bits alone, in a batch, in any order; and what is refused.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::{
    Tolerance, filled_in_parts,
    text_networks::{BASE, Place, small, text},
    uniform,
};
use headstart_engine::{Cpu, Executor as _, Interpreter, Isa, Precision, Reference};
use input::Inputs;
use network::{
    Network,
    families::{
        bert::{self, Bert},
        static_embeddings::StaticEmbeddings,
    },
};
use weights::{Bound, Tensor};

#[test]
fn a_text_s_bits_depend_on_nothing_but_itself() {
    for (network, place) in small() {
        bits(&network, place, Precision::F32, 1e-5);
    }
}

#[test]
fn nor_do_they_in_bf16() {
    // Some of them: not every instruction set is fast at it.
    for (network, place) in small().into_iter().step_by(4) {
        bits(&network, place, Precision::Bf16, Precision::Bf16.tolerance());
    }
}

fn bits(network: &Network, place: Place, precision: Precision, tolerance: f64) {
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
    let cpu_of = |isa| Cpu::with(filled(), &recipe, isa, precision).unwrap();
    let (mut cpu, name) = (cpu_of(Isa::best()), network.name());
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
        let theirs = cpu_of(isa).run(Inputs::of(texts.clone()).batch()).unwrap();
        assert!(theirs == together, "{name}: {isa:?}");
    }
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(threads.install(|| cpu.run(Inputs::of(texts.clone()).batch()).unwrap()) == together);
    let reference = Reference::new(filled(), &recipe).unwrap().run(Inputs::of(texts).batch()).unwrap();
    for (tap, (ours, theirs)) in taps.iter().zip(together.iter().zip(&reference)) {
        Tolerance(tolerance).check(&format!("{name}/{tap}, {precision}"), ours, theirs);
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
        assert_eq!(
            model.inputs.len(),
            if ["bert", "albert", "nomic_bert"].contains(&network.name()) { 3 } else { 2 }
        );
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
