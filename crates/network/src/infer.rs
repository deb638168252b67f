//! Shape inference, with checked arithmetic: every error about an input's size is found here, before anything runs.

use crate::{Network, NetworkError, Node, NodeId, Op, Shape, TextAttention};
use std::fmt;

impl Network {
    /// The shape of every node's output for an input of that many pixels; one per node, in their order.
    ///
    /// # Errors
    /// One clear error where the input is too small or too large for the network.
    pub fn shapes(&self, height: usize, width: usize) -> Result<Vec<Shape>, NetworkError> {
        // What reads no picture has no other sizes to look for.
        let reads_pictures = self.nodes.iter().any(|node| matches!(node.op, Op::Input { .. }));
        self.infer(height, width).map_err(|error| match error {
            error if !reads_pictures => error,
            NetworkError::InputTooSmall { network, height, width, node, .. } => {
                let minimum = (1..=1024).find(|&side| self.infer(side, side).is_ok());
                NetworkError::InputTooSmall { network, height, width, node, minimum }
            }
            NetworkError::InputUneven { network, height, width, node, window, .. } => {
                let fits = |side: usize| self.infer(side, side).is_ok();
                // Of a run of sizes whose maps are the same, the first is what networks are trained at.
                let sides = (1..=2 * height.min(width).clamp(512, 4096))
                    .filter(|&side| fits(side) && !fits(side - 1));
                let nearest = sides.min_by_key(|side| side.abs_diff(height.min(width)));
                NetworkError::InputUneven { network, height, width, node, window, nearest }
            }
            other => other,
        })
    }

    /// d of every output for an input of that many pixels.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn widths(&self, height: usize, width: usize) -> Result<Vec<usize>, NetworkError> {
        let shapes = self.shapes(height, width)?;
        Ok(self.outputs.iter().map(|output| shapes[output.0].len()).collect())
    }

    /// Whether a node gives a vector, which holds whatever the input's size.
    pub(crate) fn is_vector(&self, mut id: NodeId) -> bool {
        // What keeps the shape it reads is as its first input is, which stands before it. A file may have a hundred
        // thousand of those one after the other, more than a stack has room for.
        loop {
            let node = self.node(id);
            match node.op {
                Op::GlobalAveragePool
                | Op::GlobalMaxPool
                | Op::LastToken
                | Op::Normalize
                | Op::Flatten
                | Op::Token { .. } => return true,
                Op::Given { shape } => return matches!(shape, Shape::Vector(_)),
                Op::Activation { .. }
                | Op::Add
                | Op::Multiply
                | Op::Channels { .. }
                | Op::Shuffle { .. }
                | Op::Linear { .. }
                | Op::LayerNorm { .. }
                | Op::Scale { .. }
                | Op::Concat
                | Op::BatchNorm { .. } => id = node.inputs[0],
                _ => return false,
            }
        }
    }

    fn infer(&self, height: usize, width: usize) -> Result<Vec<Shape>, NetworkError> {
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let shape = self.shape_of(node, &shapes, (height, width))?;
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// The shape of a node that reads nodes of these shapes, which may not be part of the network yet.
    pub(crate) fn shape_of(
        &self,
        node: &Node,
        shapes: &[Shape],
        (height, width): (usize, usize),
    ) -> Result<Shape, NetworkError> {
        let inputs: Vec<Shape> = node.inputs.iter().map(|input| shapes[input.0]).collect();
        let at = At { network: self, node, height, width };
        let shape = at.infer(&inputs)?;
        at.check_size(shape)?;
        Ok(shape)
    }
}

/// Shapes, as errors tell them.
struct Shown<'a>(&'a [Shape]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (at, shape) in self.0.iter().enumerate() {
            write!(f, "{}{shape}", if at > 0 { " and " } else { "" })?;
        }
        Ok(())
    }
}

/// A node being looked at, with all that its errors have to say.
struct At<'a> {
    network: &'a Network,
    node: &'a Node,
    height: usize,
    width: usize,
}

impl At<'_> {
    fn infer(&self, inputs: &[Shape]) -> Result<Shape, NetworkError> {
        match (&self.node.op, inputs) {
            (Op::Input { channels }, []) => {
                Ok(Shape::Map { channels: *channels, height: self.height, width: self.width })
            }
            (Op::Given { shape }, []) => Ok(*shape),
            (Op::Text, []) => Ok(Shape::Sequence { width: 1 }),
            (&Op::Conv { weight, bias, groups, .. }, &[input @ Shape::Map { channels, height, width }]) => {
                let &[out, per_group, ..] = self.network.param(weight).shape.as_slice() else {
                    return Err(self.mismatch("a weight of rank 4", &input));
                };
                if per_group.checked_mul(groups) != Some(channels) || out % groups != 0 {
                    return Err(
                        self.mismatch(&format!("{per_group} channels in each of {groups} groups"), &input)
                    );
                }
                self.check_lengths([bias], out)?;
                self.windows(false, (height, width), out)
            }
            (Op::BatchNorm { weight, bias, mean, variance, .. }, &[input]) => {
                self.check_lengths([weight, bias, mean, variance].map(|param| Some(*param)), input.width())?;
                Ok(input)
            }
            (Op::LayerNorm { weight, bias, .. }, &[input]) => {
                self.check_lengths([Some(*weight), Some(*bias)], input.width()).map(|()| input)
            }
            (Op::ResponseNorm { weight, bias, .. }, &[map @ Shape::Map { channels, .. }]) => {
                self.check_lengths([Some(*weight), Some(*bias)], channels).map(|()| map)
            }
            (Op::Scale { weight }, &[input]) => {
                match self.network.param(*weight) {
                    param if param.len() == input.width() => Ok(input),
                    param => Err(self
                        .mismatch(&format!("`{}` of {} numbers", param.name, input.width()), &param.len())),
                }
            }
            (Op::Activation { .. }, &[input]) => Ok(input),
            (Op::MaxPool(pool) | Op::AveragePool(pool), &[Shape::Map { channels, height, width }]) => {
                self.windows(pool.ceil, (height, width), channels)
            }
            (&Op::AdaptiveAveragePool { height, width }, &[Shape::Map { channels, .. }]) => {
                Ok(Shape::Map { channels, height, width })
            }
            (
                Op::GlobalAveragePool | Op::GlobalMaxPool,
                &[input @ (Shape::Map { .. } | Shape::Tokens { places: 1.., .. } | Shape::Sequence { .. })],
            ) => Ok(Shape::Vector(input.width())),
            (Op::Normalize, &[vector @ Shape::Vector(_)]) => Ok(vector),
            (Op::Normalize, inputs) => Err(self.mismatch("a vector", &Shown(inputs))),
            (Op::GlobalAveragePool | Op::GlobalMaxPool, inputs) => {
                Err(self.mismatch("a map, or tokens that are places of a picture", &Shown(inputs)))
            }
            (Op::Flatten, &[input @ (Shape::Map { .. } | Shape::Tokens { .. })]) => {
                Ok(Shape::Vector(input.len()))
            }
            (Op::Flatten, inputs) => Err(self.mismatch("a map, or tokens of a picture", &Shown(inputs))),
            (Op::Linear { weight, bias }, &[input]) => match *self.network.param(*weight).shape {
                [out, inputs] if inputs == input.width() => {
                    self.check_lengths([*bias], out).map(|()| input.with_width(out))
                }
                ref shape => Err(self.mismatch(&format!("what a weight {shape:?} can multiply"), &input)),
            },
            (Op::Add | Op::Multiply, &[a, b]) if a == b => Ok(a),
            (Op::Add | Op::Multiply, &[a, b]) => Err(self.mismatch(&a.to_string(), &b)),
            (Op::Concat, inputs) => self.concat(inputs),
            (
                Op::Gate,
                &[map @ Shape::Map { channels, .. }, Shape::Map { channels: gates, height: 1, width: 1 }],
            ) if channels == gates => Ok(map),
            (&Op::Channels { start, end }, &[input]) if end <= input.width() => {
                Ok(input.with_width(end - start))
            }
            (Op::Channels { end, .. }, &[input]) => Err(self.mismatch(&format!("{end} channels"), &input)),
            (Op::Shuffle { groups }, &[input]) if input.width() % groups == 0 => Ok(input),
            (Op::Shuffle { groups }, &[input]) => {
                Err(self.mismatch(&format!("channels in {groups} groups"), &input))
            }
            (Op::MergePatches, &[Shape::Map { channels, height, width }]) => Ok(Shape::Map {
                channels: channels.saturating_mul(4),
                height: height.div_ceil(2),
                width: width.div_ceil(2),
            }),
            (
                Op::Tokens { .. }
                | Op::Token { .. }
                | Op::Constant { .. }
                | Op::Attention { .. }
                | Op::WindowAttention { .. }
                | Op::Lookup { .. }
                | Op::RmsNorm { .. }
                | Op::Rotary(_)
                | Op::TextAttention(_)
                | Op::LastToken,
                inputs,
            ) => self.tokens(inputs),
            (_, inputs) => Err(self.mismatch("a map", &Shown(inputs))),
        }
    }

    /// What belongs to attention.
    fn tokens(&self, inputs: &[Shape]) -> Result<Shape, NetworkError> {
        let needs = |expected: &str| Err(self.mismatch(expected, &Shown(inputs)));
        match (&self.node.op, inputs) {
            (Op::Tokens { prefix, positions, grid, .. }, &[Shape::Map { channels, height, width }]) => {
                let mut count = 0_usize;
                for param in prefix.iter().map(|param| self.network.param(*param)) {
                    match *param.shape {
                        [1, tokens, d] if d == channels => count = count.saturating_add(tokens),
                        ref shape => {
                            return needs(&format!("as many channels as `{}` {shape:?}", param.name));
                        }
                    }
                }
                let positions = self.network.param(*positions);
                let trained = grid.0.saturating_mul(grid.1);
                match *positions.shape {
                    [1, known, d]
                        if d == channels && (trained..=trained.saturating_add(count)).contains(&known) => {}
                    ref shape => {
                        return needs(&format!("as many channels as `{}` {shape:?}", positions.name));
                    }
                }
                let places = height.checked_mul(width).ok_or_else(|| self.too_large())?;
                Ok(Shape::Tokens { prefix: count, places, width: channels })
            }
            (&Op::Constant { value }, []) => match *self.network.param(value).shape {
                [1, count, width] => Ok(Shape::Tokens { prefix: count, places: 0, width }),
                ref shape => needs(&format!("tokens (1, n, d), not {shape:?}")),
            },
            (&Op::Token { index }, &[Shape::Tokens { prefix, places, width }]) if index < prefix + places => {
                Ok(Shape::Vector(width))
            }
            (Op::Lookup { table, .. }, &[Shape::Sequence { .. }]) => {
                match *self.network.param(*table).shape {
                    [rows, width] if rows > 0 => Ok(Shape::Sequence { width }),
                    ref shape => needs(&format!("a table (rows, d), not {shape:?}")),
                }
            }
            (Op::Token { index: 0 } | Op::LastToken, &[Shape::Sequence { width }]) => {
                Ok(Shape::Vector(width))
            }
            (&Op::RmsNorm { weight, .. }, &[text @ Shape::Sequence { width }]) => {
                match *self.network.param(weight).shape {
                    [part] if part > 0 && width.is_multiple_of(part) => Ok(text),
                    ref shape => needs(&format!("parts as long as a weight {shape:?}")),
                }
            }
            (Op::Rotary(rotary), &[text @ Shape::Sequence { width }])
                if width.is_multiple_of(rotary.depth) =>
            {
                Ok(text)
            }
            (Op::Rotary(rotary), _) => needs(&format!("a text's tokens in heads of {}", rotary.depth)),
            (Op::TextAttention(how), inputs) => self.text_attention(how, inputs),
            (
                &Op::Attention { heads, bias },
                &[input @ (Shape::Tokens { width, .. } | Shape::Map { channels: width, .. })],
            ) if width % (3 * heads) == 0 => {
                self.check_pairs(bias, heads, [input, input])?;
                Ok(input.with_width(width / 3))
            }
            (
                &Op::Attention { heads, bias },
                &[
                    q @ (Shape::Tokens { .. } | Shape::Map { .. }),
                    kv @ (Shape::Tokens { .. } | Shape::Map { .. }),
                ],
            ) if q.width() % heads == 0 && [1, 2].map(|parts| parts * q.width()).contains(&kv.width()) => {
                self.check_pairs(bias, heads, [q, kv])?;
                Ok(q)
            }
            (
                &Op::WindowAttention { heads, window, bias, .. },
                &[map @ Shape::Map { channels, height, width }],
            ) if channels % (3 * heads) == 0 => {
                if height % window != 0 || width % window != 0 {
                    let (network, node) = self.names();
                    let (height, width) = (self.height, self.width);
                    return Err(NetworkError::InputUneven {
                        network,
                        height,
                        width,
                        node,
                        window,
                        nearest: None,
                    });
                }
                match *self.network.param(bias).shape {
                    [places, known] if known == heads && places == (2 * window - 1).pow(2) => {
                        Ok(map.with_width(channels / 3))
                    }
                    ref shape => needs(&format!("a bias ((2·{window} - 1)², {heads}), not {shape:?}")),
                }
            }
            (Op::Attention { heads, .. } | Op::WindowAttention { heads, .. }, _) => {
                needs(&format!("queries, keys and values in {heads} heads"))
            }
            (Op::Lookup { .. } | Op::LastToken | Op::RmsNorm { .. }, _) => needs("the tokens of a text"),
            (Op::Token { index }, _) => needs(&format!("more than {index} tokens")),
            _ => needs("a map"),
        }
    }

    /// Queries, keys and values of a text, in one value or in three.
    fn text_attention(&self, how: &TextAttention, inputs: &[Shape]) -> Result<Shape, NetworkError> {
        let (heads, key_heads) = (how.heads, how.key_heads);
        if let Some(table) = how.distances.map(|distances| self.network.param(distances.table)) {
            let fits =
                matches!(*table.shape, [rows, of] if of == heads && rows > 0 && rows.is_multiple_of(4));
            if !fits {
                return Err(self.mismatch(&format!("a table (4k, {heads})"), &format!("{:?}", table.shape)));
            }
        }
        match *inputs {
            [Shape::Sequence { width }] if width > 0 && width.is_multiple_of(heads + 2 * key_heads) => {
                Ok(Shape::Sequence { width: heads * how.depth(width, true) })
            }
            [
                Shape::Sequence { width },
                Shape::Sequence { width: keys },
                Shape::Sequence { width: values },
            ] if width.is_multiple_of(heads) && keys == values && keys == width / heads * key_heads => {
                Ok(Shape::Sequence { width })
            }
            _ => {
                let expected = format!("queries of a text in {heads} heads, keys and values in {key_heads}");
                Err(self.mismatch(&expected, &Shown(inputs)))
            }
        }
    }

    /// A number in each head for every pair of places.
    fn check_pairs(
        &self,
        bias: Option<crate::ParamId>,
        heads: usize,
        ends: [Shape; 2],
    ) -> Result<(), NetworkError> {
        let Some(bias) = bias else { return Ok(()) };
        let [queries, keys] = ends.map(|shape| shape.len() / shape.width().max(1));
        let shape = &self.network.param(bias).shape;
        if *shape == [heads, queries, keys] {
            return Ok(());
        }
        Err(self.mismatch(&format!("a bias ({heads}, {queries}, {keys})"), &format!("{shape:?}")))
    }

    fn concat(&self, inputs: &[Shape]) -> Result<Shape, NetworkError> {
        let vectors: Option<Vec<usize>> =
            inputs.iter().map(|input| if let Shape::Vector(d) = input { Some(*d) } else { None }).collect();
        if let Some(vectors) = vectors.filter(|vectors| !vectors.is_empty()) {
            return Ok(Shape::Vector(vectors.into_iter().fold(0, usize::saturating_add)));
        }
        let mut sum: Option<(usize, usize, usize)> = None;
        for &input in inputs {
            sum = match (sum, input) {
                (None, Shape::Map { channels, height, width }) => Some((channels, height, width)),
                (Some((before, h, w)), Shape::Map { channels, height, width })
                    if (h, w) == (height, width) =>
                {
                    Some((before.saturating_add(channels), h, w))
                }
                _ => return Err(self.mismatch("maps of one size", &input)),
            };
        }
        let (channels, height, width) = sum.ok_or_else(|| self.mismatch("maps", &"nothing"))?;
        Ok(Shape::Map { channels, height, width })
    }

    /// What is left of a map of that size (height, width).
    fn windows(
        &self,
        ceil: bool,
        (height, width): (usize, usize),
        channels: usize,
    ) -> Result<Shape, NetworkError> {
        let window = self.network.window(self.node).ok_or_else(|| self.mismatch("windows", &"none"))?;
        let [down, across] = window.axes();
        let height = down.count(height, ceil).ok_or_else(|| self.too_large())?;
        let width = across.count(width, ceil).ok_or_else(|| self.too_large())?;
        Ok(Shape::Map { channels, height, width })
    }

    fn check_lengths<const N: usize>(
        &self,
        params: [Option<crate::ParamId>; N],
        out: usize,
    ) -> Result<(), NetworkError> {
        for param in params.into_iter().flatten() {
            let param = self.network.param(param);
            if param.shape != [out] {
                return Err(self
                    .mismatch(&format!("`{}` of shape [{out}]", param.name), &format!("{:?}", param.shape)));
            }
        }
        Ok(())
    }

    /// Refuses maps of nothing, and those whose bytes cannot be counted.
    fn check_size(&self, shape: Shape) -> Result<(), NetworkError> {
        let sides = match shape {
            Shape::Map { channels, height, width } => [channels, height, width],
            Shape::Vector(d) | Shape::Sequence { width: d } => [d, 1, 1],
            Shape::Tokens { prefix, places, width } => [prefix.saturating_add(places), width, 1],
        };
        if sides.contains(&0) {
            return Err(self.too_small());
        }
        let bytes = sides.into_iter().try_fold(4_usize, usize::checked_mul);
        match bytes {
            Some(bytes) if isize::try_from(bytes).is_ok() => Ok(()),
            _ => Err(self.too_large()),
        }
    }

    fn too_small(&self) -> NetworkError {
        let (network, node) = self.names();
        NetworkError::InputTooSmall { network, height: self.height, width: self.width, node, minimum: None }
    }

    fn too_large(&self) -> NetworkError {
        let (network, node) = self.names();
        NetworkError::InputTooLarge { network, height: self.height, width: self.width, node }
    }

    fn mismatch(&self, expected: &str, got: &dyn std::fmt::Display) -> NetworkError {
        let (network, node) = self.names();
        NetworkError::Mismatch { network, node, expected: expected.to_owned(), got: got.to_string() }
    }

    fn names(&self) -> (String, String) {
        (self.network.name.clone(), self.node.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::Builder;

    #[test]
    fn a_mean_is_of_places() {
        // A token of the network's own stands for no place of a picture.
        let mut net = Builder::image();
        let latent = net.constant("latent", "latent", (1, 8));
        let network = net.finish("means", latent).for_taps(&["latent"]).unwrap();
        let error = network.shapes(8, 8).unwrap_err().to_string();
        assert_eq!(
            error,
            "`latent.mean` of means needs a map, or tokens that are places of a picture, got tokens (1, 8)"
        );
    }
}
