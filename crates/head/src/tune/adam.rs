//! AdamW, with a step size of its own for each block.

use network::Param;
use rayon::prelude::*;
use train::Learner;

use super::TuneSettings;

const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;
/// Numbers that one thread goes through at a time.
const CHUNK: usize = 1 << 14;

/// What is known of each parameter that learns.
pub(super) struct AdamW {
    params: Vec<Option<Moments>>,
    steps: i32,
    decay: f64,
}

struct Moments {
    /// Means of gradients, and of their squares.
    first: Vec<f32>,
    second: Vec<f32>,
    rate: f64,
    decays: bool,
}

impl AdamW {
    pub(super) fn new(learner: &Learner, settings: &TuneSettings) -> AdamW {
        let params = learner.network().params();
        let depths = depths(params);
        let deepest = depths.last().copied().unwrap_or(0);
        let moments = |((param, learns), depth): ((&Param, &bool), usize)| {
            let below = i32::try_from(deepest - depth).unwrap_or(i32::MAX);
            learns.then(|| Moments {
                first: vec![0.0; param.len()],
                second: vec![0.0; param.len()],
                rate: settings.learning_rate * settings.layer_decay.powi(below),
                decays: param.shape.iter().filter(|side| **side > 1).count() > 1,
            })
        };
        let each = params.iter().zip(learner.learns()).zip(depths);
        AdamW { params: each.map(moments).collect(), steps: 0, decay: settings.weight_decay }
    }

    /// One step, `part` of the largest.
    pub(super) fn step(&mut self, learner: &mut Learner, gradients: Vec<Option<Vec<f32>>>, part: f64) {
        self.steps += 1;
        let [first, second] = BETAS.map(|beta| 1.0 - beta.powi(self.steps));
        let decay = self.decay;
        let each = learner.params_mut().iter_mut().zip(&mut self.params).zip(gradients);
        for ((param, moments), gradient) in each {
            let (Some(moments), Some(gradient)) = (moments, gradient) else { continue };
            let rate = moments.rate * part;
            let (step, keep) =
                ((rate / first) as f32, if moments.decays { 1.0 - rate * decay } else { 1.0 } as f32);
            let (over, eps) = ((1.0 / second) as f32, EPSILON as f32);
            let [b1, b2] = BETAS.map(|beta| beta as f32);
            let chunks = param.data.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
            let moments = moments.first.par_chunks_mut(CHUNK).zip(moments.second.par_chunks_mut(CHUNK));
            chunks.zip(moments).for_each(|((x, g), (m, v))| {
                for ((x, g), (m, v)) in x.iter_mut().zip(g).zip(m.iter_mut().zip(v)) {
                    *m = b1 * *m + (1.0 - b1) * g;
                    *v = b2 * *v + (1.0 - b2) * g * g;
                    *x = *x * keep - step * *m / ((*v * over).sqrt() + eps);
                }
            });
        }
    }
}

/// The block that each parameter is of, counted from the first.
fn depths(params: &[Param]) -> Vec<usize> {
    let mut depth = 0;
    let mut last = None;
    let depth_of = |param: &Param| {
        let own = block(&param.name);
        if last.as_deref().is_some_and(|last| last != own) {
            depth += 1;
        }
        last = Some(own.to_owned());
        depth
    };
    params.iter().map(depth_of).collect()
}

/// The name up to the first part that ends in a digit: `layer4`, `features.17`, `encoder.layers.encoder_layer_11`.
fn block(name: &str) -> &str {
    let mut end = 0;
    for part in name.split('.') {
        end += part.len();
        if part.ends_with(|last: char| last.is_ascii_digit()) {
            return &name[..end];
        }
        end += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_by_names() {
        for (name, expected) in [
            ("layer4.0.conv1.weight", "layer4"),
            ("features.17.conv.0.0.weight", "features.17"),
            ("encoder.layers.encoder_layer_11.mlp.0.weight", "encoder.layers.encoder_layer_11"),
            ("blocks.3.attn.qkv.bias", "blocks.3"),
            ("head.0.weight", "head.0"),
            ("norm.weight", "norm.weight"),
        ] {
            assert_eq!(block(name), expected);
        }
        let param = |name: &str| Param { name: name.to_owned(), shape: vec![2] };
        let names = ["layer4.0.a", "layer4.1.b", "norm.weight", "head.0.weight", "head.0.bias"];
        assert_eq!(depths(&names.map(param)), [0, 0, 1, 2, 2]);
    }
}
