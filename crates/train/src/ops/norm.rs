//! What brings numbers to a common scale.

use super::{Slopes, Step};
use crate::sums::{self, sum};
use network::ParamId;

/// Weight and bias of a norm.
#[derive(Clone, Copy)]
pub(super) struct By {
    pub(super) weight: ParamId,
    pub(super) bias: ParamId,
    pub(super) eps: f32,
}

/// Frozen statistics, of each channel: x · scale + shift; and what x is before weight and bias.
struct Affine {
    mean: Vec<f32>,
    /// 1 / √(variance + eps)
    spread: Vec<f32>,
}

impl Affine {
    fn of(step: &Step<'_>, [mean, variance]: [ParamId; 2], eps: f32) -> Affine {
        let spread = |variance: &f32| (1.0 / (f64::from(*variance) + f64::from(eps)).sqrt()) as f32;
        Affine { mean: step.param(mean).to_vec(), spread: step.param(variance).iter().map(spread).collect() }
    }
}

pub(super) fn batch_norm(step: &Step<'_>, by: By, statistics: [ParamId; 2]) -> Vec<f32> {
    let Affine { mean, spread } = Affine::of(step, statistics, by.eps);
    let (x, width) = (step.inputs[0], step.made.width());
    let wide = |x: f32| f64::from(x);
    let scale: Vec<f64> =
        step.param(by.weight).iter().zip(&spread).map(|(w, s)| wide(*w) * wide(*s)).collect();
    let shifts = step.param(by.bias).iter().zip(&mean).zip(&scale);
    let shift: Vec<f32> = shifts.map(|((b, mean), scale)| (wide(*b) - wide(*mean) * scale) as f32).collect();
    let scale: Vec<f32> = scale.into_iter().map(|scale| scale as f32).collect();
    sums::map_rows(x.len() / width, width, |row, out| {
        let x = &x[row * width..][..width];
        let numbers = out.iter_mut().zip(x).zip(scale.iter().zip(&shift));
        numbers.for_each(|((out, x), (scale, shift))| *out = x * scale + shift);
    })
}

pub(super) fn batch_norm_back(
    step: &Step<'_>,
    slopes: &mut Slopes<'_>,
    by: By,
    statistics: [ParamId; 2],
    dy: &[f32],
) {
    let Affine { mean, spread } = Affine::of(step, statistics, by.eps);
    let (x, width) = (step.inputs[0], step.made.width());
    slopes.param(by.bias, || sums::of_columns(dy, width));
    slopes.param(by.weight, || {
        let mut to = sums::over(x.len() / width, width, |row, to| {
            let rows = x[row * width..].iter().zip(&dy[row * width..]).zip(&mean);
            to.iter_mut().zip(rows).for_each(|(to, ((x, dy), mean))| *to += f64::from((x - mean) * dy));
        });
        to.iter_mut().zip(&spread).for_each(|(to, spread)| *to *= spread);
        to
    });
    slopes.input(0, || {
        let scale: Vec<f32> = step.param(by.weight).iter().zip(&spread).map(|(w, s)| w * s).collect();
        times(dy, &scale)
    });
}

/// Every row times `by`, number by number.
fn times(x: &[f32], by: &[f32]) -> Vec<f32> {
    sums::map_rows(x.len() / by.len(), by.len(), |row, out| {
        let x = &x[row * by.len()..][..by.len()];
        out.iter_mut().zip(x).zip(by).for_each(|((out, x), by)| *out = x * by);
    })
}

pub(super) fn scale(step: &Step<'_>, weight: ParamId) -> Vec<f32> {
    times(step.inputs[0], step.param(weight))
}

pub(super) fn scale_back(step: &Step<'_>, slopes: &mut Slopes<'_>, weight: ParamId, dy: &[f32]) {
    slopes.param(weight, || sums::of_products(step.inputs[0], dy, step.made.width()));
    slopes.input(0, || times(dy, step.param(weight)));
}

/// Mean of a row, and 1 / √(variance + eps).
#[inline(always)]
fn moments(x: &[f32], eps: f32) -> (f32, f32) {
    let mean = sum(x.iter().copied()) / x.len() as f32;
    let variance = sum(x.iter().map(|x| (x - mean) * (x - mean))) / x.len() as f32;
    (mean, 1.0 / (variance + eps).sqrt())
}

pub(super) fn layer_norm(step: &Step<'_>, by: By) -> Vec<f32> {
    let (x, width) = (step.inputs[0], step.made.width());
    let [weight, bias] = [by.weight, by.bias].map(|id| step.param(id));
    sums::map_rows(x.len() / width, width, |row, out| {
        let x = &x[row * width..][..width];
        let (mean, spread) = moments(x, by.eps);
        let numbers = out.iter_mut().zip(x).zip(weight.iter().zip(bias));
        numbers.for_each(|((out, x), (weight, bias))| *out = (x - mean) * spread * weight + bias);
    })
}

/// With n = (x − mean) / spread and g = dy · weight: dx = (g − mean(g) − n · mean(g · n)) / spread.
pub(super) fn layer_norm_back(step: &Step<'_>, slopes: &mut Slopes<'_>, by: By, dy: &[f32]) {
    let (x, width) = (step.inputs[0], step.made.width());
    let weight = step.param(by.weight);
    slopes.param(by.bias, || sums::of_columns(dy, width));
    slopes.param(by.weight, || {
        sums::over(x.len() / width, width, |row, to| {
            let x = &x[row * width..][..width];
            let (mean, spread) = moments(x, by.eps);
            let rows = to.iter_mut().zip(x).zip(&dy[row * width..]);
            rows.for_each(|((to, x), dy)| *to += f64::from((x - mean) * spread * dy));
        })
    });
    slopes.input(0, || {
        sums::map_rows(x.len() / width, width, |row, dx| {
            let (x, dy) = (&x[row * width..][..width], &dy[row * width..][..width]);
            let (mean, spread) = moments(x, by.eps);
            let g = dy.iter().zip(weight).map(|(dy, weight)| dy * weight);
            let even = sum(g.clone()) / width as f32;
            let along = sum(g.clone().zip(x).map(|(g, x)| g * (x - mean) * spread)) / width as f32;
            let numbers = dx.iter_mut().zip(g).zip(x);
            numbers.for_each(|((dx, g), x)| *dx = (g - even - (x - mean) * spread * along) * spread);
        })
    });
}

pub(super) fn rms_norm(step: &Step<'_>, weight: ParamId, eps: f32) -> Vec<f32> {
    let (x, weight) = (step.inputs[0], step.param(weight));
    let part = weight.len();
    sums::map_rows(x.len() / part, part, |row, out| {
        let x = &x[row * part..][..part];
        let spread = root(x, eps);
        out.iter_mut().zip(x).zip(weight).for_each(|((out, x), weight)| *out = x * spread * weight);
    })
}

/// With n = x / root and g = dy · weight: dx = (g − n · mean(g · n)) / root.
pub(super) fn rms_norm_back(step: &Step<'_>, slopes: &mut Slopes<'_>, id: ParamId, eps: f32, dy: &[f32]) {
    let (x, weight) = (step.inputs[0], step.param(id));
    let part = weight.len();
    slopes.param(id, || {
        sums::over(x.len() / part, part, |row, to| {
            let x = &x[row * part..][..part];
            let spread = root(x, eps);
            let rows = to.iter_mut().zip(x).zip(&dy[row * part..]);
            rows.for_each(|((to, x), dy)| *to += f64::from(x * spread * dy));
        })
    });
    slopes.input(0, || {
        sums::map_rows(x.len() / part, part, |row, dx| {
            let (x, dy) = (&x[row * part..][..part], &dy[row * part..][..part]);
            let spread = root(x, eps);
            let g = dy.iter().zip(weight).map(|(dy, weight)| dy * weight);
            let along = sum(g.clone().zip(x).map(|(g, x)| g * x * spread)) / part as f32;
            let numbers = dx.iter_mut().zip(g).zip(x);
            numbers.for_each(|((dx, g), x)| *dx = (g - x * spread * along) * spread);
        })
    });
}

/// 1 / √(mean(x²) + eps)
#[inline(always)]
fn root(x: &[f32], eps: f32) -> f32 {
    1.0 / (sum(x.iter().map(|x| x * x)) / x.len() as f32 + eps).sqrt()
}

/// Of each sample: the root of every channel's sum of squares, and what their mean and eps come to.
fn responses(step: &Step<'_>, eps: f32) -> (Vec<f32>, Vec<f32>) {
    let (x, width, places) = (step.inputs[0], step.made.width(), step.made.places());
    let norms = sums::map_rows(step.extent.samples, width, |sample, norms| {
        for place in x[sample * places * width..][..places * width].chunks_exact(width) {
            norms.iter_mut().zip(place).for_each(|(norm, x)| *norm += x * x);
        }
        norms.iter_mut().for_each(|norm| *norm = norm.sqrt());
    });
    let means = norms.chunks_exact(width).map(|norms| sum(norms.iter().copied()) / width as f32 + eps);
    let means = means.collect();
    (norms, means)
}

pub(super) fn response_norm(step: &Step<'_>, by: By) -> Vec<f32> {
    let (x, width, places) = (step.inputs[0], step.made.width(), step.made.places());
    let (norms, means) = responses(step, by.eps);
    let [weight, bias] = [by.weight, by.bias].map(|id| step.param(id));
    sums::map_rows(x.len() / width, width, |row, out| {
        let (norms, mean) = (&norms[row / places * width..][..width], means[row / places]);
        let by = norms.iter().zip(weight).zip(bias);
        let numbers = out.iter_mut().zip(&x[row * width..]).zip(by);
        numbers.for_each(|((out, x), ((norm, weight), bias))| *out = x * (norm / mean) * weight + bias);
    })
}

/// With N the norms, M their mean plus eps and t = Σ over places of dy · x · weight:
/// dN = t / M − mean(t · N) / M², and dx = dy · weight · N / M + dN · x / N.
pub(super) fn response_norm_back(step: &Step<'_>, slopes: &mut Slopes<'_>, by: By, dy: &[f32]) {
    let (x, width, places) = (step.inputs[0], step.made.width(), step.made.places());
    let (norms, means) = responses(step, by.eps);
    let weight = step.param(by.weight);
    slopes.param(by.bias, || sums::of_columns(dy, width));
    slopes.param(by.weight, || {
        sums::over(x.len() / width, width, |row, to| {
            let (norms, mean) = (&norms[row / places * width..][..width], means[row / places]);
            let rows = x[row * width..].iter().zip(&dy[row * width..]).zip(norms);
            to.iter_mut()
                .zip(rows)
                .for_each(|(to, ((x, dy), norm))| *to += f64::from(x * (norm / mean) * dy));
        })
    });
    slopes.input(0, || {
        let pulls = sums::map_rows(step.extent.samples, width, |sample, pulls| {
            for row in sample * places..(sample + 1) * places {
                let rows = x[row * width..].iter().zip(&dy[row * width..]).zip(weight);
                pulls.iter_mut().zip(rows).for_each(|(pull, ((x, dy), weight))| *pull += x * dy * weight);
            }
            let (norms, mean) = (&norms[sample * width..][..width], means[sample]);
            let all = sum(pulls.iter().zip(norms).map(|(pull, norm)| pull * norm)) / width as f32;
            for (pull, norm) in pulls.iter_mut().zip(norms) {
                let slope = (*pull - all / mean) / mean;
                *pull = if *norm > 0.0 { slope / norm } else { 0.0 };
            }
        });
        sums::map_rows(x.len() / width, width, |row, dx| {
            let sample = row / places;
            let (norms, mean) = (&norms[sample * width..][..width], means[sample]);
            let by = norms.iter().zip(weight).zip(&pulls[sample * width..]);
            let numbers = dx.iter_mut().zip(x[row * width..].iter().zip(&dy[row * width..])).zip(by);
            numbers.for_each(|((dx, (x, dy)), ((norm, weight), pull))| {
                *dx = dy * weight * (norm / mean) + pull * x;
            });
        })
    });
}

/// Rows of length 1.
pub(super) fn normalize(step: &Step<'_>) -> Vec<f32> {
    let (x, width) = (step.inputs[0], step.made.width());
    sums::map_rows(x.len() / width, width, |row, out| {
        let x = &x[row * width..][..width];
        let length = length(x).max(SHORTEST);
        out.iter_mut().zip(x).for_each(|(out, x)| *out = (f64::from(*x) / length) as f32);
    })
}

/// With n = x / length: dx = (dy − n · Σ dy n) / length; dy over the shortest where x is shorter.
pub(super) fn normalize_back(step: &Step<'_>, dy: &[f32]) -> Vec<f32> {
    let (x, width) = (step.inputs[0], step.made.width());
    sums::map_rows(x.len() / width, width, |row, dx| {
        let (x, dy) = (&x[row * width..][..width], &dy[row * width..][..width]);
        let length = length(x);
        let along: f64 = x.iter().zip(dy).map(|(x, dy)| f64::from(*x) * f64::from(*dy)).sum();
        let along = if length < SHORTEST { 0.0 } else { along / (length * length) };
        let over = 1.0 / length.max(SHORTEST);
        let numbers = dx.iter_mut().zip(x).zip(dy);
        numbers.for_each(|((dx, x), dy)| *dx = ((f64::from(*dy) - f64::from(*x) * along) * over) as f32);
    })
}

const SHORTEST: f64 = 1e-12;

fn length(x: &[f32]) -> f64 {
    x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt()
}
