//! A recipe for pictures as ONNX nodes: a decoded picture of any size becomes a backbone's input, with the bits that
//! `input` gives, which are Pillow's.
//!
//! ONNX's own `Resize` has an antialiased mode, but it is another arithmetic, and runtimes differ in it. So the weights of
//! both passes are worked out here, in f64, operation by operation as Pillow does, and rounded to its 22-bit fixed point.
//! Products of such numbers and their sums are whole numbers below 2⁵³, so that f64 holds them exactly, in any order.
//!
//! Both passes give as many places as the larger side of the crop, and some more. What lies beyond the crop or the
//! picture has weights of zero, which is the padding.

use super::{
    Draft, Operator,
    bands::{self, Axis, PLACES},
    flow::Flow,
};
use crate::{Element, IMAGE};
use input::image::{Channels, CropRounding, Preprocessing, Resize};

const DOUBLE: Operator = Operator::Cast { to: Element::Double };
const BYTE: Operator = Operator::Cast { to: Element::Byte };

/// Adds the nodes; gives the name of the input that they make, (1, 3, height, width).
pub(super) fn lower(draft: &mut Draft<'_>, how: &Preprocessing, size: (usize, usize)) -> String {
    let places = size.0.max(size.1).next_multiple_of(PLACES);
    let mut flow = Flow { draft, scope: "picture" };
    let (across, down, down_first) = axes(&mut flow, how, size);
    let first = choose(&mut flow, "first", &down_first, &down, &across);
    let second = choose(&mut flow, "second", &down_first, &across, &down);

    // (length of the first axis, length of the second, 3), whichever that is: both flat have as many bytes.
    let turned = Operator::Transpose { perm: vec![1, 0, 2] };
    let any = flow.draft.integers("sides/-1", vec![-1]);
    let columns = flow.step("columns", &turned, &[IMAGE]);
    let columns = flow.step("columns/bytes", &Operator::ReshapeTo, &[&columns, &any]);
    let rows = flow.step("bytes", &Operator::ReshapeTo, &[IMAGE, &any]);
    let bytes = flow.step("lines/bytes", &Operator::Where, &[&down_first, &rows, &columns]);
    let lines = length(&mut flow, "lines", &first);
    let sides = flow.step("lines/sides", &Operator::Concat { axis: 0 }, &[&lines, &any]);
    let lines = flow.step("lines", &Operator::ReshapeTo, &[&bytes, &sides]);

    // The first pass, and what it gives with the other axis first.
    let passed = bands::pass(&mut flow, "first", (&first, places, how.filter), &lines);
    let passed = flow.step("passed", &BYTE, &[&passed]);
    let other = length(&mut flow, "passed", &second);
    let [one, three] = [places, 3].map(|side| {
        let side = side as i64;
        flow.draft.integers(&format!("sides/{side}"), vec![side])
    });
    let sides = flow.step("passed/sides", &Operator::Concat { axis: 0 }, &[&one, &other, &three]);
    let passed = flow.step("passed/pixels", &Operator::ReshapeTo, &[&passed, &sides]);
    let passed = flow.step("passed/turned", &turned, &[&passed]);
    let sides = flow.step("passed/turned/sides", &Operator::Concat { axis: 0 }, &[&other, &any]);
    let passed = flow.step("passed/lines", &Operator::ReshapeTo, &[&passed, &sides]);

    // The second, and rows first again.
    let pixels = bands::pass(&mut flow, "second", (&second, places, how.filter), &passed);
    let pixels = flow.step("resized", &Operator::Reshape { shape: vec![places, places, 3] }, &[&pixels]);
    let other = flow.step("resized/turned", &turned, &[&pixels]);
    let mut pixels = flow.step("upright", &Operator::Where, &[&down_first, &other, &pixels]);
    for (axis, side) in [size.0, size.1].into_iter().enumerate() {
        pixels = flow.step("cropped", &Operator::Slice { axis, start: 0, end: side }, &[&pixels]);
    }
    normalised(&mut flow, how, size, &pixels)
}

/// The axes across and down as they are resized and cropped, and whether the pass down comes first. That is Pillow 13's
/// rule: it does where more than twice as many rows go as columns.
fn axes(flow: &mut Flow<'_, '_>, how: &Preprocessing, size: (usize, usize)) -> (Axis, Axis, String) {
    let shape = flow.step("shape", &Operator::Shape, &[IMAGE]);
    let shape = flow.step("sides", &DOUBLE, &[&shape]);
    let height = flow.step("height", &Operator::Gather { axis: 0, index: 0 }, &[&shape]);
    let width = flow.step("width", &Operator::Gather { axis: 0, index: 1 }, &[&shape]);
    let (rows, columns) = match how.resize {
        Resize::Exact(rows, columns) => {
            (flow.draft.double(f64::from(rows)), flow.draft.double(f64::from(columns)))
        }
        Resize::ShorterSide(side) => {
            let shorter = flow.step("shorter", &Operator::Min, &[&height, &width]);
            // The quotient of whole numbers below 2⁵³ is rounded to a whole one only where it is one.
            let mut resized = |what: &str, length: &str| {
                let product = flow.by(&format!("{what}/product"), &Operator::Mul, length, f64::from(side));
                let ratio = flow.step(&format!("{what}/ratio"), &Operator::Div, &[&product, &shorter]);
                flow.step(what, &Operator::Floor, &[&ratio])
            };
            (resized("rows", &height), resized("columns", &width))
        }
    };
    let gone_down = flow.step("rows/gone", &Operator::Sub, &[&height, &rows]);
    let gone_across = flow.step("columns/gone", &Operator::Sub, &[&width, &columns]);
    let twice = flow.by("columns/gone_twice", &Operator::Mul, &gone_across, 2.0);
    let some = flow.by("rows/fewer", &Operator::Greater, &gone_down, 0.0);
    let more = flow.step("rows/far_fewer", &Operator::Greater, &[&gone_down, &twice]);
    let down_first = flow.step("down_first", &Operator::And, &[&some, &more]);
    let mut axis = |what: &str, input: String, output: String, crop: usize| {
        let offset = offset(flow, what, how.crop_rounding, &output, crop);
        Axis { input, output, offset, crop: flow.draft.double(crop as f64) }
    };
    let across = axis("columns", width, columns, size.1);
    let down = axis("rows", height, rows, size.0);
    (across, down, down_first)
}

/// Where a centre crop begins on a resized axis; before it, where the crop is the longer one.
fn offset(flow: &mut Flow<'_, '_>, what: &str, rounding: CropRounding, output: &str, crop: usize) -> String {
    let excess = flow.by(&format!("{what}/excess"), &Operator::Sub, output, crop as f64);
    let half = flow.by(&format!("{what}/half"), &Operator::Mul, &excess, 0.5);
    let name = format!("{what}/offset");
    match rounding {
        CropRounding::Down => flow.step(&name, &Operator::Floor, &[&half]),
        CropRounding::Even => {
            let start = flow.step(&format!("{what}/start"), &Operator::Round, &[&half]);
            let before = flow.step(&format!("{what}/before"), &Operator::Ceil, &[&half]);
            let is_short = flow.by(&format!("{what}/short"), &Operator::Less, &excess, 0.0);
            flow.step(&name, &Operator::Where, &[&is_short, &before, &start])
        }
    }
}

/// One axis or the other.
fn choose(flow: &mut Flow<'_, '_>, what: &str, condition: &str, yes: &Axis, no: &Axis) -> Axis {
    let mut either = |part: &str, yes: &str, no: &str| {
        flow.step(&format!("{what}/{part}"), &Operator::Where, &[condition, yes, no])
    };
    Axis {
        input: either("input", &yes.input, &no.input),
        output: either("output", &yes.output, &no.output),
        offset: either("offset", &yes.offset, &no.offset),
        crop: either("crop", &yes.crop, &no.crop),
    }
}

/// The length of an axis of the picture as a list of one whole number.
fn length(flow: &mut Flow<'_, '_>, what: &str, axis: &Axis) -> String {
    let length = flow.step(&format!("{what}/length"), &Operator::Reshape { shape: vec![1] }, &[&axis.input]);
    flow.step(&format!("{what}/length"), &Operator::Cast { to: Element::Integer }, &[&length])
}

/// Bytes (height, width, 3) in f64 as the network wants them.
fn normalised(flow: &mut Flow<'_, '_>, how: &Preprocessing, size: (usize, usize), pixels: &str) -> String {
    let x = flow.step("pixels", &Operator::Cast { to: Element::Single }, &[pixels]);
    let x = flow.step("planes", &Operator::Transpose { perm: vec![2, 0, 1] }, &[&x]);
    let mut x = flow.step("batch", &Operator::Reshape { shape: vec![1, 3, size.0, size.1] }, &[&x]);
    if how.channels == Channels::Bgr {
        let order = flow.draft.integers("channels/bgr", vec![2, 1, 0]);
        x = flow.step("bgr", &Operator::GatherAt { axis: 1 }, &[&x, &order]);
    }
    let x = flow.by_single("scaled", &Operator::Div, &x, f64::from(how.divisor));
    let mut each = |what: &str, values: [f32; 3]| {
        flow.draft.constant(&format!("picture/{what}"), &[3, 1, 1], values.to_vec())
    };
    let (mean, std) = (each("mean", how.mean), each("std", how.std));
    let x = flow.step("centred", &Operator::Sub, &[&x, &mean]);
    flow.step("normalised", &Operator::Div, &[&x, &std])
}
