//! Windows: what of a map a convolution or a pool sees at a time.

use serde::{Deserialize, Serialize};

/// Two numbers: down, and across. In JSON one number where both are the same, else both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SpelledPair", into = "SpelledPair")]
pub struct Pair {
    /// Down, in rows.
    pub y: usize,
    /// Across, in columns.
    pub x: usize,
}

/// Places around a map. In JSON one number where all sides are the same, else `[top, left, bottom, right]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SpelledPadding", into = "SpelledPadding")]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Columns before.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns behind.
    pub right: usize,
}

/// A pooling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Sides of the window, in pixels.
    pub kernel: Pair,
    /// Steps, in pixels.
    pub stride: Pair,
    /// Cells around the map, in pixels. They never win.
    pub padding: Padding,
    /// Whether a last window that sticks out counts (PyTorch's `ceil_mode`).
    pub ceil: bool,
    /// Whether a mean is over the padding as well, as zeros (PyTorch's `count_include_pad`). Never over what sticks out
    /// of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub count_include_pad: bool,
}

/// The windows of a convolution or a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Places that each window sees.
    pub kernel: Pair,
    /// From one window to the next.
    pub stride: Pair,
    /// Around the map.
    pub padding: Padding,
    /// From one place of a window to the next.
    pub dilation: Pair,
}

/// One direction of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Places that each window sees.
    pub kernel: usize,
    /// From one window to the next.
    pub stride: usize,
    /// From one place of a window to the next.
    pub dilation: usize,
    /// Padding before the map.
    pub before: usize,
    /// Padding behind it.
    pub after: usize,
}

impl Pair {
    /// 1 and 1.
    pub const ONE: Pair = Pair { y: 1, x: 1 };

    pub(crate) fn is_one(&self) -> bool {
        *self == Pair::ONE
    }
}

impl From<usize> for Pair {
    fn from(both: usize) -> Pair {
        Pair { y: both, x: both }
    }
}

impl From<(usize, usize)> for Pair {
    fn from((y, x): (usize, usize)) -> Pair {
        Pair { y, x }
    }
}

impl From<[usize; 2]> for Pair {
    fn from([y, x]: [usize; 2]) -> Pair {
        Pair { y, x }
    }
}

impl Padding {
    /// None at all.
    pub const NONE: Padding = Padding { top: 0, left: 0, bottom: 0, right: 0 };
}

impl From<usize> for Padding {
    fn from(all: usize) -> Padding {
        Padding { top: all, left: all, bottom: all, right: all }
    }
}

impl From<(usize, usize)> for Padding {
    /// Above and below, before and behind.
    fn from((y, x): (usize, usize)) -> Padding {
        Padding { top: y, left: x, bottom: y, right: x }
    }
}

impl From<[usize; 4]> for Padding {
    /// Above, before, below, behind, as ONNX has them.
    fn from([top, left, bottom, right]: [usize; 4]) -> Padding {
        Padding { top, left, bottom, right }
    }
}

impl Pool {
    /// Windows of `kernel` pixels, moved by `stride`; no padding, no sticking out.
    pub fn new(kernel: impl Into<Pair>, stride: impl Into<Pair>) -> Pool {
        let (kernel, stride) = (kernel.into(), stride.into());
        Pool { kernel, stride, padding: Padding::NONE, ceil: false, count_include_pad: false }
    }

    /// With padding.
    pub fn pad(self, padding: impl Into<Padding>) -> Pool {
        Pool { padding: padding.into(), ..self }
    }

    /// With windows that stick out at the end.
    pub fn ceil(self) -> Pool {
        Pool { ceil: true, ..self }
    }

    /// With means over the padding as well.
    pub fn count_include_pad(self) -> Pool {
        Pool { count_include_pad: true, ..self }
    }

    /// Its windows.
    pub fn window(self) -> Window {
        let Pool { kernel, stride, padding, .. } = self;
        Window { kernel, stride, padding, dilation: Pair::ONE }
    }
}

impl Window {
    /// A window that sees one place, with no padding: a dense layer's at every place.
    pub const PLACE: Window =
        Window { kernel: Pair::ONE, stride: Pair::ONE, padding: Padding::NONE, dilation: Pair::ONE };

    /// Down, and across.
    pub fn axes(self) -> [Axis; 2] {
        let Window { kernel, stride, padding, dilation } = self;
        [
            Axis {
                kernel: kernel.y,
                stride: stride.y,
                dilation: dilation.y,
                before: padding.top,
                after: padding.bottom,
            },
            Axis {
                kernel: kernel.x,
                stride: stride.x,
                dilation: dilation.x,
                before: padding.left,
                after: padding.right,
            },
        ]
    }
}

impl Axis {
    /// From a window's first place to behind its last; as many as can be counted, where there would be more.
    pub fn extent(self) -> usize {
        self.kernel.saturating_sub(1).saturating_mul(self.dilation).saturating_add(1)
    }

    /// How many windows fit along a side, as PyTorch counts them. 0 where there is no room for one; `None` where
    /// numbers are too large to count.
    pub fn count(self, side: usize, ceil: bool) -> Option<usize> {
        let padded = side.checked_add(self.before)?.checked_add(self.after)?;
        let Some(room) = padded.checked_sub(self.extent()) else { return Some(0) };
        if !ceil {
            return Some(room / self.stride + 1);
        }
        let count = room.div_ceil(self.stride) + 1;
        // The last window must start inside the picture or its leading padding.
        Some(if (count - 1) * self.stride >= side + self.before { count - 1 } else { count })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SpelledPair {
    Alike(usize),
    Each(usize, usize),
}

impl From<SpelledPair> for Pair {
    fn from(spelled: SpelledPair) -> Pair {
        match spelled {
            SpelledPair::Alike(both) => both.into(),
            SpelledPair::Each(y, x) => Pair { y, x },
        }
    }
}

impl From<Pair> for SpelledPair {
    fn from(Pair { y, x }: Pair) -> SpelledPair {
        if y == x { SpelledPair::Alike(y) } else { SpelledPair::Each(y, x) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SpelledPadding {
    Alike(usize),
    Each([usize; 4]),
}

impl From<SpelledPadding> for Padding {
    fn from(spelled: SpelledPadding) -> Padding {
        match spelled {
            SpelledPadding::Alike(all) => all.into(),
            SpelledPadding::Each(sides) => sides.into(),
        }
    }
}

impl From<Padding> for SpelledPadding {
    fn from(padding: Padding) -> SpelledPadding {
        let Padding { top, left, bottom, right } = padding;
        if padding == Padding::from(top) {
            SpelledPadding::Alike(top)
        } else {
            SpelledPadding::Each([top, left, bottom, right])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Builder, Conv, Network, Op};

    #[test]
    fn windows_are_counted_as_pytorch_does() {
        let axis = |kernel, stride, dilation, before, after| Axis { kernel, stride, dilation, before, after };
        // torch.nn.Conv1d and MaxPool1d of sides worked out there.
        assert_eq!(axis(3, 2, 1, 0, 1).count(224, false), Some(112));
        assert_eq!(axis(3, 1, 2, 2, 2).count(9, false), Some(9));
        assert_eq!(axis(3, 1, 4, 0, 0).count(9, false), Some(1));
        assert_eq!(axis(3, 1, 4, 0, 0).count(8, false), Some(0));
        assert_eq!(axis(2, 2, 1, 0, 0).count(5, true), Some(3));
        assert_eq!(axis(2, 2, 1, 1, 1).count(5, true), Some(3));
        // Another window would begin in the padding behind.
        assert_eq!(axis(2, 2, 1, 1, 1).count(3, true), Some(2));
        assert_eq!(axis(usize::MAX, 1, 2, 0, 0).count(5, false), Some(0));
        assert_eq!(axis(3, 1, 1, usize::MAX, 0).count(5, false), None);
    }

    #[test]
    fn what_is_alike_on_all_sides_is_one_number() {
        let mut net = Builder::image();
        let x = net.conv("plain", net.input(), Conv::new(4, 3).stride(2));
        let conv = Conv::new(4, (1, 7)).stride((2, 1)).pad([0, 3, 1, 2]).dilation((1, 2));
        let x = net.conv("other", x, conv);
        let x = net.average_pool("pool", x, Pool::new(2, 2));
        let x = net.average_pool("counting", x, Pool::new((3, 2), 1).pad((1, 0)).count_include_pad());
        let x = net.activation("relu", x, Activation::Relu);
        let x = net.activation("leaky", x, Activation::LeakyRelu { slope: 0.5 });
        let network = net.finish("windows", x);
        let spelled = |at: usize| serde_json::to_string(&network.nodes()[at].op).unwrap();
        assert_eq!(spelled(1), r#"{"op":"conv","weight":0,"bias":null,"stride":2,"padding":1,"groups":1}"#);
        assert_eq!(
            spelled(2),
            r#"{"op":"conv","weight":1,"bias":null,"stride":[2,1],"padding":[0,3,1,2],"groups":1,"dilation":[1,2]}"#
        );
        assert_eq!(spelled(3), r#"{"op":"average_pool","kernel":2,"stride":2,"padding":0,"ceil":false}"#);
        assert_eq!(
            spelled(4),
            r#"{"op":"average_pool","kernel":[3,2],"stride":1,"padding":[1,0,1,0],"ceil":false,"count_include_pad":true}"#
        );
        assert_eq!(spelled(5), r#"{"op":"activation","function":"relu"}"#);
        assert_eq!(spelled(6), r#"{"op":"activation","function":{"leaky_relu":{"slope":0.5}}}"#);
        let json = serde_json::to_string(&network).unwrap();
        assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), network);
        // Of no pool is the padding as wide as its window, and of no maximum is it counted.
        for (from, to) in [
            ("[1,0,1,0]", "[1,0,1,2]"),
            ("\"dilation\":[1,2]", "\"dilation\":[1,0]"),
            ("\"dilation\":[1,2]", "\"dilation\":[1,3000]"),
        ] {
            assert!(json.contains(from), "{from}");
            assert!(serde_json::from_str::<Network>(&json.replace(from, to)).is_err(), "{to}");
        }
        let counting = json.rfind("average_pool").unwrap();
        let (before, after) = json.split_at(counting);
        let maximum = format!("{before}{}", after.replacen("average_pool", "max_pool", 1));
        assert!(serde_json::from_str::<Network>(&maximum).is_err());
        assert!(matches!(network.nodes()[4].op, Op::AveragePool(_)));
    }
}
