//! From bytes to what a network takes, per channel.

/// `value[c] = byte[order[c]] · scale[c] + offset[c]`, where the order is RGB or, reversed, BGR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Image {
    /// Whether the network takes blue first.
    pub reversed: bool,
    /// In the network's order.
    pub scale: [f64; 3],
    /// In the network's order.
    pub offset: [f64; 3],
}

impl Image {
    /// Of `(byte / divisor - mean) / std`, as recipes say it.
    pub fn of(reversed: bool, divisor: f32, mean: [f32; 3], std: [f32; 3]) -> Image {
        let divisor = f64::from(divisor);
        let (mean, std) = (mean.map(f64::from), std.map(f64::from));
        Image {
            reversed,
            scale: std.map(|std| 1.0 / (divisor * std)),
            offset: std::array::from_fn(|c| -mean[c] / std[c]),
        }
    }
}
