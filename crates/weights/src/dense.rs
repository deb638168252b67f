//! A dense layer by itself, as heads have them.

use crate::{AttentionPool, Bound, Tensor, WeightError};
use network::Builder;

/// `y = W x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Length of x.
    pub inputs: usize,
    /// Length of y.
    pub outputs: usize,
    /// W: (outputs, inputs) row-major.
    pub weight: Vec<f32>,
    /// b: (outputs,).
    pub bias: Vec<f32>,
}

impl Dense {
    /// Multiplies the outputs by `factor`.
    pub fn scale(&mut self, factor: f64) {
        for value in self.weight.iter_mut().chain(&mut self.bias) {
            *value = (f64::from(*value) * factor) as f32;
        }
    }
}

/// The graph of a head, perhaps of an attention pool, then of dense layers with a ReLU between them, called `head.0`, `head.1` …: what
/// reads the features of a backbone.
///
/// # Errors
/// Where the layers do not fit one another, their numbers are not as many as their sides say, or one is not finite.
///
/// # Panics
/// Where there is no layer.
pub fn head_graph(pool: Option<&AttentionPool>, layers: &[Dense]) -> Result<Bound, WeightError> {
    let (mut net, mut x) = match pool {
        Some(pool) => pool.graph(),
        None => {
            let net = Builder::features(layers[0].inputs);
            let x = net.input();
            (net, x)
        }
    };
    for (n, layer) in layers.iter().enumerate() {
        if n > 0 {
            x = net.relu(&format!("head.{}/relu", n - 1), x);
        }
        x = net.linear(&format!("head.{n}"), x, layer.outputs);
    }
    let mut values = layers.iter().flat_map(|layer| {
        let Dense { inputs, outputs, weight, bias } = layer;
        [(vec![*outputs, *inputs], weight), (vec![*outputs], bias)]
    });
    Bound::from_tensors(net.finish("head", x), "the head", |param| {
        let of_pool = pool.and_then(|pool| pool.tensor(&param.name));
        of_pool.or_else(|| values.next().map(|(shape, data)| Tensor { shape, data: data.clone() }))
    })
}
