//! Networks of texts, against the engine on the processor.

use super::{
    common::{
        self, Tolerance, filled_in_parts,
        text_networks::{BASE, Place, small, text},
        uniform,
    },
    tolerance,
};
use emulator::Emulator;
use headstart_engine::{
    Cpu, EngineError, Executor as _, Precision,
    cuda::{Card, CardError, Cuda, Unit},
};
use input::{Inputs, text::Token};
use network::{
    Builder, By, Network, Pairs, Reach, Rotary, TextAttention,
    families::{
        bert::{self, Bert},
        static_embeddings::StaticEmbeddings,
    },
};
use weights::Bound;

/// f32 shows mistakes, and f16 those of the tensor cores.
const BOTH: [Precision; 2] = [Precision::F32, Precision::F16];

fn open() -> Emulator {
    Emulator::new(2 << 30)
}

/// Texts of these lengths.
fn texts(lengths: &[usize]) -> Vec<Vec<u8>> {
    let id = |i: usize| (uniform("tokens", i) * 1000.0) as u32;
    lengths.iter().enumerate().map(|(i, n)| text((0..*n).map(|at| id(i * 512 + at)))).collect()
}

/// Of one token, a block of keys, one more, and several.
const LENGTHS: [usize; 9] = [1, 9, 64, 65, 1, 63, 200, 2, 130];

/// All taps that a network of texts may have here.
fn taps(network: &Network) -> Vec<&'static str> {
    let all = ["cls", "mean", "max", "last", "sentence", "layer:1", "pooled"];
    all.into_iter().filter(|tap| network.for_taps(&[tap]).is_ok()).collect()
}

fn filled(network: &Network, place: Place) -> Bound {
    filled_in_parts(network.for_taps(&taps(network)).unwrap(), place)
}

fn bits(rows: &[Vec<f32>]) -> Vec<Vec<u32>> {
    rows.iter().map(|rows| rows.iter().map(|x| x.to_bits()).collect()).collect()
}

/// By how much more roundings are off in the end. T5's scores are products as they are: its own f32 is off by four times what
/// others' is.
fn leeway(name: &str, precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1.0,
        _ if name == "t5" => 6.0,
        _ => 1.5,
    }
}

/// Holds a card's rows of texts against the processor's.
fn check<C: Card>(
    open: impl Fn() -> C,
    bound: impl Fn() -> Bound,
    lengths: &[usize],
    precisions: &[Precision],
) {
    let (recipe, inputs) = (common::texts(), Inputs::of(texts(lengths)));
    let name = bound().network().name().to_owned();
    let expected = Cpu::new(bound(), &recipe).unwrap().run(inputs.batch()).unwrap();
    for precision in precisions {
        let mut cuda = Cuda::new(open(), bound(), &recipe, *precision, None).unwrap();
        let got = cuda.run(inputs.batch()).unwrap();
        for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let what = format!("{name}, output {i} in {precision}");
            let Tolerance(limit) = tolerance(*precision, &Tolerance(1e-5));
            Tolerance(limit * leeway(&name, *precision)).check(&what, got, expected);
        }
    }
}

/// Checks that a text's bits depend on nothing but itself.
fn check_bits<C: Card>(open: impl Fn() -> C, bound: impl Fn() -> Bound, precision: Precision) {
    let (recipe, texts) = (common::texts(), texts(&[1, 66, 9, 130]));
    let name = bound().network().name().to_owned();
    let cuda = |batch| Cuda::new(open(), bound(), &recipe, precision, batch).unwrap();
    let mut all = cuda(None);
    let together = bits(&all.run(Inputs::of(texts.clone()).batch()).unwrap());
    let backwards = bits(&all.run(Inputs::of(texts.iter().rev().cloned()).batch()).unwrap());
    let row = |outputs: &[Vec<u32>], i: usize, n: usize| -> Vec<Vec<u32>> {
        outputs.iter().map(|rows| rows.chunks(rows.len() / n).nth(i).unwrap().to_vec()).collect()
    };
    let n = texts.len();
    for (i, one) in texts.iter().enumerate() {
        let told = format!("{name} in {precision}: text {i} of {} tokens", one.len() / 4);
        let alone = row(&bits(&all.run(Inputs::of([one.clone()]).batch()).unwrap()), 0, 1);
        assert!(alone.iter().flatten().all(|x| f32::from_bits(*x).is_finite()), "{told}");
        assert!(alone == row(&together, i, n), "{told}, in a batch");
        assert!(alone == row(&backwards, n - 1 - i, n), "{told}, backwards");
    }
    let pairs = cuda(Some(2)).run(Inputs::of(texts).batch()).unwrap();
    assert!(bits(&pairs) == together, "{name} in {precision}: two at a time");
}

#[test]
fn cards_give_what_the_processor_gives() {
    for (network, place) in small() {
        check(open, || filled(&network, place), &LENGTHS, &Precision::ALL);
    }
}

#[test]
fn a_text_s_bits_depend_on_nothing_but_itself_on_a_card() {
    for (network, place) in small() {
        for precision in BOTH {
            check_bits(open, || filled(&network, place), precision);
        }
    }
}

#[test]
fn threads_may_run_in_any_order() {
    for (network, place) in small() {
        for precision in BOTH {
            let run = |seed| {
                let card = open();
                card.set_order(seed);
                let (bound, recipe) = (filled(&network, place), common::texts());
                let mut cuda = Cuda::with_unit(card, bound, &recipe, precision, None, Unit::Warp).unwrap();
                bits(&cuda.run(Inputs::of(texts(&[70, 1, 5])).batch()).unwrap())
            };
            let first = run(0);
            for seed in 1..3 {
                assert!(run(seed) == first, "{} in {precision}, order {seed}", network.name());
            }
        }
    }
}

#[test]
fn a_taps_bits_do_not_depend_on_the_other_taps() {
    // In 16 bits, where features are kept wider than others read them.
    for (network, place) in small() {
        let run = |taps: &[&str]| {
            let bound = filled_in_parts(network.for_taps(taps).unwrap(), place);
            let mut cuda = Cuda::new(open(), bound, &common::texts(), Precision::F16, None).unwrap();
            bits(&cuda.run(Inputs::of(texts(&[9, 3])).batch()).unwrap())
        };
        let names = taps(&network);
        for (name, among) in names.iter().zip(run(&names)) {
            assert!(run(&[name])[0] == among, "{}: {name}", network.name());
        }
    }
}

#[test]
fn heads_of_every_depth() {
    // What follows a text's place turns both ways; queries share keys, or do not.
    for (depth, pairs, key_heads) in [
        (16, Pairs::Halves, 1),
        (64, Pairs::Halves, 2),
        (72, Pairs::Neighbours, 2),
        (96, Pairs::Neighbours, 1),
        (128, Pairs::Halves, 1),
        (160, Pairs::Halves, 2),
        (256, Pairs::Halves, 1),
        (7, Pairs::Neighbours, 1),
    ] {
        let mut net = Builder::text();
        let x = net.lookup("words", By::Token, (1000, 48));
        let parts = [("q", 2), ("k", key_heads), ("v", key_heads)];
        let [q, k, v] = parts.map(|(part, heads)| net.linear_without_bias(part, x, heads * depth));
        let rotary = Rotary { depth, turned: depth / 2 * 2, theta: 1e4, pairs, scaling: None };
        let [q, k] = [("q", q), ("k", k)].map(|(part, x)| net.rotary(&format!("{part}_turned"), x, rotary));
        let reach = Reach { back: Some(20), ahead: Some(3) };
        let how = TextAttention { key_heads, reach, ..TextAttention::new(2) };
        let attended = net.text_attention("attention", &[q, k, v], how);
        let x = net.linear("out", attended, 48);
        let x = net.global_average_pool("mean", x);
        let network = net.finish(&format!("heads_of_{depth}"), x);
        check(open, || common::filled(network.clone()), &[1, 70, 33], &BOTH);
    }
    let network = {
        let mut net = Builder::text();
        let x = net.lookup("words", By::Token, (10, 3 * 264));
        let x = net.text_attention("attention", &[x], TextAttention::new(1));
        let x = net.global_average_pool("mean", x);
        net.finish("deep", x)
    };
    let refused = Cuda::new(open(), common::filled(network), &common::texts(), Precision::F32, None);
    let told = refused.err().unwrap().to_string();
    assert!(told.contains("heads are 264 deep; those of texts may be up to 256"), "{told}");
}

#[test]
fn a_table_s_rows_are_averaged_on_a_card() {
    let network = StaticEmbeddings { vocabulary: 1000, width: 20 }.network("table", true);
    let network = network.for_taps(&["mean", "max", "sentence"]).unwrap();
    check(open, || common::filled(network.clone()), &LENGTHS, &Precision::ALL);
    check_bits(open, || common::filled(network.clone()), Precision::Bf16);
}

#[test]
fn padding_and_second_texts_have_rows_of_their_own() {
    let two = Bert { vocabulary: 1000, embedded: 32, width: 32, depth: 1, heads: 2, hidden: 40, ..BASE };
    let two = Bert { first_place: 2, padding: Some(1), places: 514, ..two };
    let network = two.network("pairs", None).for_taps(&["mean", "cls"]).unwrap();
    let bound = || filled_in_parts(network.clone(), bert::bert);
    let token = |(id, second)| Token::new(id, second).bytes();
    let pair = [(5, false), (1, false), (6, false), (7, true), (1, true), (8, true)];
    let inputs = Inputs::of([pair.into_iter().flat_map(token).collect(), text([1, 1]), text([4])]);
    let expected = Cpu::new(bound(), &common::texts()).unwrap().run(inputs.batch()).unwrap();
    let got = Cuda::new(open(), bound(), &common::texts(), Precision::F32, None)
        .unwrap()
        .run(inputs.batch())
        .unwrap();
    for (got, expected) in got.iter().zip(&expected) {
        Tolerance(1e-5).check("pairs", got, expected);
    }
}

#[test]
fn windows_of_a_text_are_averaged_on_a_card() {
    let network = StaticEmbeddings { vocabulary: 1000, width: 20 }.network("table", false);
    let bound = || common::filled(network.clone());
    // The bit that says so in the first token of another window.
    let opening = |id: u32| (id | 1 << 30).to_le_bytes().to_vec();
    let parted = [text([1, 2, 3]), opening(4), text([5])].concat();
    let inputs = Inputs::of([text([7]), parted, text([8, 9])]);
    let expected = Cpu::new(bound(), &common::texts()).unwrap().run(inputs.batch()).unwrap();
    for batch in [1, 3] {
        let mut cuda = Cuda::new(open(), bound(), &common::texts(), Precision::F32, Some(batch)).unwrap();
        let got = cuda.run(inputs.batch()).unwrap();
        assert_eq!(got[0].len(), 3 * 20);
        Tolerance(1e-5).check("windows", &got[0], &expected[0]);
    }
}

/// One layer, so that a token needs some kilobytes.
fn layer() -> Bound {
    let layer = Bert { vocabulary: 1000, embedded: 64, width: 64, depth: 1, heads: 2, hidden: 256, ..BASE };
    filled_in_parts(layer.network("layer", None).for_taps(&["cls", "mean"]).unwrap(), bert::bert)
}

#[test]
fn batches_are_parted_where_memory_is_short() {
    let inputs = Inputs::of(texts(&[100, 1, 60, 90, 30, 2, 70]));
    for precision in BOTH {
        let cuda = |memory| Cuda::new(Emulator::new(memory), layer(), &common::texts(), precision, None);
        let all = bits(&cuda(2 << 30).unwrap().run(inputs.batch()).unwrap());
        // Down to what has no room for the longest, and is told so.
        let (mut parted, mut refused) = (0, 0);
        for memory in (1..20).map(|eighths| eighths << 17) {
            let Ok(mut cuda) = cuda(memory) else { continue };
            match cuda.run(inputs.batch()) {
                Ok(rows) => {
                    assert!(bits(&rows) == all, "{precision}: other bits with {memory} bytes");
                    parted += 1;
                }
                Err(EngineError::OutOfMemoryForText { tokens: 100, .. }) => refused += 1,
                Err(EngineError::Card(CardError::OutOfMemory { .. })) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(parted > 2 && refused > 0, "{precision}: {parted} and {refused}");
    }
}

#[test]
fn what_a_network_has_nothing_for_is_refused_on_a_card() {
    let mut cuda = Cuda::new(open(), layer(), &common::texts(), Precision::F16, None).unwrap();
    let good = Inputs::of(texts(&[3, 4]));
    let expected = cuda.run(good.batch()).unwrap();
    for (inputs, part) in [
        (Inputs::of([text([1000])]), "token 1000 is not one of the 1000"),
        (Inputs::of([text([1]), text([])]), "no token"),
        (Inputs::of([text([1; 513])]), "a text has 513 tokens, and its recipe makes up to 512"),
    ] {
        let told = cuda.run(inputs.batch()).unwrap_err().to_string();
        assert!(told.contains(part), "{told}");
        // Nobody has to begin anew.
        assert_eq!(cuda.run(good.batch()).unwrap(), expected);
    }
    assert!(cuda.run(Inputs::default().batch()).unwrap().iter().all(Vec::is_empty));
    let picture = Cuda::new(open(), layer(), &common::sized(32), Precision::F32, None).err().unwrap();
    assert_eq!(picture.to_string(), "layer reads texts, and the recipe makes pictures");
}

#[cfg(feature = "cuda")]
/// Holds every small network on a card against the processor, and its bits.
pub(crate) fn check_texts<C: Card>(open: impl Fn() -> C) {
    for (network, place) in small() {
        check(&open, || filled(&network, place), &LENGTHS, &Precision::ALL);
        for precision in Precision::ALL {
            check_bits(&open, || filled(&network, place), precision);
        }
    }
}
