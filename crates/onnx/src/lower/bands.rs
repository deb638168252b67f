//! One pass of a resize: a product with a matrix of weights that has numbers near its diagonal only. So it is done in
//! bands, of some places each, that read no more than those look at.

use super::{Operator, flow::Flow};
use crate::{Element, draft::Numbers};
use input::image::Filter;

/// Places of a band. Of 12 megapixels, bands of 8 to 32 take 0.15 s in ONNX Runtime, the whole matrix 0.3.
pub(super) const PLACES: usize = 16;
/// 1 in Pillow's fixed point.
const ONE: f64 = (1 << 22) as f64;

/// An axis of a picture. All are f64.
pub(super) struct Axis {
    /// Its length.
    pub(super) input: String,
    /// What it is resized to.
    pub(super) output: String,
    /// The first place of the crop; negative where the crop begins before.
    pub(super) offset: String,
    /// The length of the crop.
    pub(super) crop: String,
}

/// `places` places of an axis, from its offset on; lines: (input, bytes). Gives (bands, 16, bytes) in f64: whole numbers from
/// 0 to 255, and 0 beyond the axis or the crop.
pub(super) fn pass(
    flow: &mut Flow<'_, '_>,
    what: &str,
    (axis, places, filter): (&Axis, usize, Filter),
    lines: &str,
) -> String {
    let mut band = Band { flow, what };
    let bands = places / PLACES;
    let numbers = || Numbers::Doubles((0..places).map(|place| place as f64).collect());
    let numbers = band.flow.draft.shared(format!("places/{places}"), &[bands, PLACES, 1], numbers);
    let place = band.step("place", &Operator::Add, &[&numbers, &axis.offset]);
    let is_there = band.is_there(axis, &numbers, &place);
    // What is not there is worked out as its neighbour, and then weighs nothing.
    let last = band.by("last", &Operator::Sub, &axis.output, 1.0);
    let place = band.step("place/above", &Operator::Min, &[&place, &last]);
    let place = band.by("place/within", &Operator::Max, &place, 0.0);

    // Pillow's precompute_coeffs, in its order.
    let scale = band.step("scale", &Operator::Div, &[&axis.input, &axis.output]);
    let stretch = band.by("stretch", &Operator::Max, &scale, 1.0);
    let support = match filter {
        Filter::Bilinear => 1.0,
        Filter::Bicubic => 2.0,
    };
    let reach = band.by("reach", &Operator::Mul, &stretch, support);
    let center = band.by("place/half", &Operator::Add, &place, 0.5);
    let center = band.step("center", &Operator::Mul, &[&center, &scale]);
    let low = band.step("low/reach", &Operator::Sub, &[&center, &reach]);
    let low = band.whole("low", &low);
    let low = band.by("low/within", &Operator::Max, &low, 0.0);
    let high = band.step("high/reach", &Operator::Add, &[&center, &reach]);
    let high = band.whole("high", &high);
    let high = band.step("high/within", &Operator::Min, &[&high, &axis.input]);

    // x: (bands, 1, width), what each band looks at.
    let start = band.step("start", &Operator::ReduceMin { axis: 1 }, &[&low]);
    let width = band.step("widths", &Operator::Sub, &[&high, &start]);
    let width = band.step("width", &Operator::ReduceMax, &[&width]);
    let [zero, one] = [0.0, 1.0].map(|number| band.flow.draft.double(number));
    let x = band.step("steps", &Operator::Range, &[&zero, &width, &one]);
    let x = band.step("x", &Operator::Add, &[&x, &start]);
    let t = band.step("x/apart", &Operator::Sub, &[&x, &center]);
    let t = band.by("x/half", &Operator::Add, &t, 0.5);
    let inverse = band.step("inverse", &Operator::Div, &[&one, &stretch]);
    let t = band.step("t", &Operator::Mul, &[&t, &inverse]);
    let t = band.step("t/abs", &Operator::Abs, &[&t]);
    let weight = match filter {
        Filter::Bilinear => band.triangle(&t),
        Filter::Bicubic => band.cubic(&t),
    };
    let is_before = band.step("x/before", &Operator::Less, &[&x, &low]);
    let is_from = band.step("x/from", &Operator::Not, &[&is_before]);
    let is_below = band.step("x/below", &Operator::Less, &[&x, &high]);
    let is_seen = band.step("x/seen", &Operator::And, &[&is_from, &is_below]);
    let weight = band.step("weight", &Operator::Where, &[&is_seen, &weight, &zero]);
    // One after the other, as Pillow adds them: any other order may round otherwise. It is never zero.
    let sum = band.step("sums", &Operator::CumSum { axis: 2 }, &[&weight]);
    let end = band.flow.draft.integers("places/last", vec![-1]);
    let sum = band.step("sum", &Operator::GatherAt { axis: 2 }, &[&sum, &end]);
    let weight = band.step("share", &Operator::Div, &[&weight, &sum]);
    let weight = band.fixed(&weight);
    let weight = band.step("fixed/there", &Operator::Where, &[&is_there, &weight, &zero]);

    // A band that begins late may look beyond the end, where its weights are zero.
    let edge = band.by("edge", &Operator::Sub, &axis.input, 1.0);
    let at = band.step("at", &Operator::Min, &[&x, &edge]);
    let at = band.step("at/whole", &Operator::Cast { to: Element::Integer }, &[&at]);
    let sides = band.flow.draft.integers(&format!("sides/{bands},-1"), vec![bands as i64, -1]);
    let at = band.step("at/bands", &Operator::ReshapeTo, &[&at, &sides]);
    let seen = band.step("seen", &Operator::GatherAt { axis: 0 }, &[lines, &at]);
    let seen = band.step("seen/f64", &Operator::Cast { to: Element::Double }, &[&seen]);
    let sum = band.step("product", &Operator::MatMul, &[&weight, &seen]);
    let sum = band.by("product/half", &Operator::Add, &sum, ONE / 2.0);
    let byte = band.by("byte/real", &Operator::Mul, &sum, ONE.recip());
    let byte = band.step("byte", &Operator::Floor, &[&byte]);
    let byte = band.by("byte/above", &Operator::Min, &byte, 255.0);
    band.by("byte/within", &Operator::Max, &byte, 0.0)
}

/// Nodes of one pass.
struct Band<'f, 'd, 'a> {
    flow: &'f mut Flow<'d, 'a>,
    what: &'f str,
}

impl Band<'_, '_, '_> {
    fn step(&mut self, what: &str, operator: &Operator, inputs: &[&str]) -> String {
        self.flow.step(&format!("{}/{what}", self.what), operator, inputs)
    }

    fn by(&mut self, what: &str, operator: &Operator, x: &str, number: f64) -> String {
        self.flow.by(&format!("{}/{what}", self.what), operator, x, number)
    }

    /// Whether a place is of the crop and of the resized picture.
    fn is_there(&mut self, axis: &Axis, numbers: &str, place: &str) -> String {
        let is_of_crop = self.step("there/crop", &Operator::Less, &[numbers, &axis.crop]);
        let is_below = self.step("there/below", &Operator::Less, &[place, &axis.output]);
        let is_before = self.by("there/before", &Operator::Less, place, 0.0);
        let is_from = self.step("there/from", &Operator::Not, &[&is_before]);
        let is_of_picture = self.step("there/picture", &Operator::And, &[&is_from, &is_below]);
        self.step("there", &Operator::And, &[&is_of_crop, &is_of_picture])
    }

    /// ⌊x + ½⌋. Pillow drops the fraction instead, which is another number below zero alone; those become zero.
    fn whole(&mut self, what: &str, x: &str) -> String {
        let x = self.by(&format!("{what}/half"), &Operator::Add, x, 0.5);
        self.step(&format!("{what}/whole"), &Operator::Floor, &[&x])
    }

    /// 1 − t, or 0.
    fn triangle(&mut self, t: &str) -> String {
        let one = self.flow.draft.double(1.0);
        let rest = self.step("triangle/rest", &Operator::Sub, &[&one, t]);
        self.by("triangle", &Operator::Max, &rest, 0.0)
    }

    /// Keys' cubic with a = -0.5, in Pillow's order: ((a + 2) t − (a + 3)) t t + 1 below 1, (((t − 5) t + 8) t − 4) a below 2.
    fn cubic(&mut self, t: &str) -> String {
        let near = self.by("near/1", &Operator::Mul, t, 1.5);
        let near = self.by("near/2", &Operator::Sub, &near, 2.5);
        let near = self.step("near/3", &Operator::Mul, &[&near, t]);
        let near = self.step("near/4", &Operator::Mul, &[&near, t]);
        let near = self.by("near", &Operator::Add, &near, 1.0);
        let far = self.by("far/1", &Operator::Sub, t, 5.0);
        let far = self.step("far/2", &Operator::Mul, &[&far, t]);
        let far = self.by("far/3", &Operator::Add, &far, 8.0);
        let far = self.step("far/4", &Operator::Mul, &[&far, t]);
        let far = self.by("far/5", &Operator::Sub, &far, 4.0);
        let far = self.by("far", &Operator::Mul, &far, -0.5);
        let zero = self.flow.draft.double(0.0);
        let is_far = self.by("far/is", &Operator::Less, t, 2.0);
        let far = self.step("far/or", &Operator::Where, &[&is_far, &far, &zero]);
        let is_near = self.by("near/is", &Operator::Less, t, 1.0);
        self.step("cubic", &Operator::Where, &[&is_near, &near, &far])
    }

    /// To the nearest number of 22 bits, halves away from zero.
    fn fixed(&mut self, weight: &str) -> String {
        let scaled = self.by("fixed/scaled", &Operator::Mul, weight, ONE);
        let below = self.by("fixed/less", &Operator::Sub, &scaled, 0.5);
        let below = self.step("fixed/below", &Operator::Ceil, &[&below]);
        let above = self.by("fixed/more", &Operator::Add, &scaled, 0.5);
        let above = self.step("fixed/above", &Operator::Floor, &[&above]);
        let is_negative = self.by("fixed/negative", &Operator::Less, &scaled, 0.0);
        self.step("fixed", &Operator::Where, &[&is_negative, &below, &above])
    }
}
