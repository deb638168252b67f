//! A dense layer by itself, as heads have them.

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
