//! Pools, and what stands around maps.

use super::{Lowering, last_axis, plain};
use crate::{
    KerasError,
    layer::Given,
    window::{Around, around},
};
use network::{Node, NodeId, Op, Padding, Pair, Pool, Shape, Window};
use serde_json::{Value, json};

impl Lowering<'_> {
    pub(super) fn max_pool(&mut self, node: &Node, pool: Pool, x: &Given) -> Result<Given, KerasError> {
        let is_safe = self.is_never_negative(node.inputs[0]);
        if let Around::Places(_) = around_map(pool.window(), x, self.shape())
            && !is_safe
        {
            // Keras' zeros would win.
            let why = "its padding is neither `valid` nor `same`, and what it reads may be negative";
            return Err(KerasError::Operation { node: node.name.clone(), why });
        }
        Ok(self.pool("MaxPooling2D", node, pool, x))
    }

    pub(super) fn average_pool(&mut self, node: &Node, pool: Pool, x: &Given) -> Result<Given, KerasError> {
        let no = |why| Err(KerasError::Operation { node: node.name.clone(), why });
        let (counts, none) = (pool.count_include_pad, pool.padding == Padding::NONE);
        let padding = match around_map(pool.window(), x, self.shape()) {
            Around::Valid => return Ok(self.pool("AveragePooling2D", node, pool, x)),
            Around::Same { is_even: true } if !counts || none => {
                return Ok(self.pool("AveragePooling2D", node, pool, x));
            }
            // Keras counts the edge twice there, on PyTorch.
            Around::Same { .. } if !counts => return no("its padding is uneven"),
            Around::Places(_) if !counts => return no("its padding is neither `valid` nor `same`"),
            _ => pool.padding,
        };
        let sticks_out = |i: usize| {
            let (axis, after) = (pool.window().axes()[i], last_axis(self.shape())[i]);
            (after - 1) * axis.stride + axis.kernel > x.shape[i] + axis.before + axis.after
        };
        if sticks_out(0) || sticks_out(1) {
            return no("a last window sticks out");
        }
        let name = plain(&node.name);
        let x = self.padded(&format!("{name}_pad"), padding, x);
        let shape = last_axis(self.shape());
        let config = pooling(pool, "valid");
        Ok(self.shaped("AveragePooling2D", &name, config, &x, shape))
    }

    pub(super) fn pool(&mut self, class: &'static str, node: &Node, pool: Pool, x: &Given) -> Given {
        let name = plain(&node.name);
        let (x, padding) = self.placed(&name, pool.window(), self.shape(), x);
        let shape = last_axis(self.shape());
        self.shaped(class, &name, pooling(pool, padding), &x, shape)
    }

    pub(super) fn adaptive(
        &mut self,
        node: &Node,
        cells: (usize, usize),
        x: &Given,
    ) -> Result<Given, KerasError> {
        let &[height, width, channels] = x.shape.as_slice() else { return self.impossible(node) };
        let name = plain(&node.name);
        if cells == (height, width) {
            return Ok(x.clone());
        }
        let shape = vec![cells.0, cells.1, channels];
        if cells == (1, 1) {
            return Ok(self.shaped("GlobalAveragePooling2D", &name, mean(true), x, shape));
        }
        if height % cells.0 != 0 || width % cells.1 != 0 {
            return Err(KerasError::Operation { node: node.name.clone(), why: "its cells differ in size" });
        }
        let side = Pair { y: height / cells.0, x: width / cells.1 };
        let config = pooling(Pool::new(side, side), "valid");
        Ok(self.shaped("AveragePooling2D", &name, config, x, shape))
    }

    /// Zeros around a map, as a layer.
    pub(super) fn padded(&mut self, name: &str, padding: Padding, x: &Given) -> Given {
        let Padding { top, left, bottom, right } = padding;
        let config = json!({"padding": [[top, bottom], [left, right]], "data_format": "channels_last"});
        let mut shape = x.shape.clone();
        if let [height, width, _] = shape.as_mut_slice() {
            *height += top + bottom;
            *width += left + right;
        }
        self.shaped("ZeroPadding2D", name, config, x, shape)
    }

    /// What windows see that make a map of `after`, and the word for what stands around it.
    pub(super) fn placed(
        &mut self,
        layer: &str,
        window: Window,
        after: Shape,
        x: &Given,
    ) -> (Given, &'static str) {
        match around_map(window, x, after) {
            Around::Valid => (x.clone(), "valid"),
            Around::Same { .. } => (x.clone(), "same"),
            Around::Places(padding) => (self.padded(&format!("{layer}_pad"), padding, x), "valid"),
        }
    }

    pub(super) fn is_never_negative(&self, id: NodeId) -> bool {
        let node = self.network.node(id);
        match &node.op {
            Op::Activation { function } => function.is_never_negative(),
            Op::MaxPool(_) | Op::AveragePool(_) | Op::Concat => {
                node.inputs.iter().all(|input| self.is_never_negative(*input))
            }
            _ => false,
        }
    }
}

/// What stands around the map `x`, of whose windows one of `after` is made.
fn around_map(window: Window, x: &Given, after: Shape) -> Around {
    let sides = |shape: &[usize]| [shape[0], shape[1]];
    around(window.axes(), sides(&x.shape), sides(&last_axis(after)))
}

/// Over all places. `keeps`: as a map of one place, and not as a vector.
pub(super) fn mean(keeps: bool) -> Value {
    json!({"keepdims": keeps, "data_format": "channels_last"})
}

fn pooling(pool: Pool, padding: &str) -> Value {
    json!({
        "pool_size": [pool.kernel.y, pool.kernel.x],
        "strides": [pool.stride.y, pool.stride.x],
        "padding": padding,
        "data_format": "channels_last",
    })
}
