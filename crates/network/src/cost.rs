//! How much a network computes.

use crate::{Network, NetworkError, Op};

impl Network {
    /// Multiplications (each with its addition) of products and attention for one picture of that many pixels, counted
    /// as they are written, whatever an engine makes of them. The field's "GMACs"; twice as many floating-point operations.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn multiplications(&self, height: usize, width: usize) -> Result<u64, NetworkError> {
        let counts = self.multiplications_of_nodes(height, width)?;
        Ok(counts.into_iter().fold(0, u64::saturating_add))
    }

    /// The same for every node.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn multiplications_of_nodes(&self, height: usize, width: usize) -> Result<Vec<u64>, NetworkError> {
        let shapes = self.shapes(height, width)?;
        let counts = self.nodes().iter().zip(&shapes).map(|(node, shape)| {
            let places = shape.len() / shape.width().max(1);
            let read = |at: usize| shapes[node.inputs[at].index()];
            // Two numbers that each can be counted may have a product that cannot.
            let factors = match &node.op {
                Op::Conv { weight, .. } | Op::Linear { weight, .. } => [places, self.param(*weight).len()],
                // Scores, and the sums of values.
                Op::Attention { .. } => {
                    let keys = read(node.inputs.len() - 1);
                    [2 * shape.len(), keys.len() / keys.width().max(1)]
                }
                // Of one token, which sees itself.
                Op::TextAttention(_) => [2 * shape.len(), 1],
                Op::WindowAttention { window, .. } => [2 * shape.len(), window * window],
                _ => [0, 0],
            };
            (factors[0] as u64).saturating_mul(factors[1] as u64)
        });
        Ok(counts.collect())
    }
}
