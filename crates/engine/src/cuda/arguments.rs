//! What each kernel is given: the structs of `kernels/arguments.h`, which says what their fields mean.

use super::Address;
use bytemuck::{Pod, Zeroable};

/// An activation with its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Function {
    pub activation: i32,
    pub first: f32,
    pub second: f32,
}

/// Convolutions and dense layers.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Products {
    pub input: Address,
    pub weights: Address,
    pub bias: Address,
    pub residual: Address,
    pub out: Address,
    pub pieces: Address,
    pub first: Address,
    pub rows: i32,
    pub steps: i32,
    pub in_height: i32,
    pub in_width: i32,
    pub in_stride: i32,
    pub out_height: i32,
    pub out_width: i32,
    pub out_stride: i32,
    pub columns: i32,
    pub step_y: i32,
    pub step_x: i32,
    pub pad_y: i32,
    pub pad_x: i32,
    pub function: Function,
    pub out_f32: i32,
    pub unused: i32,
}

/// 16 bytes of what a place of a result sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Piece {
    pub dy: i16,
    pub dx: i16,
    pub at: i32,
}

impl Piece {
    /// Zeros.
    pub const NOWHERE: Piece = Piece { dy: 0x4000, dx: 0, at: 0 };
}

/// Convolutions whose channels do not see one another.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Depthwise {
    pub input: Address,
    pub weights: Address,
    pub bias: Address,
    pub out: Address,
    pub pictures: i32,
    pub in_height: i32,
    pub in_width: i32,
    pub out_height: i32,
    pub out_width: i32,
    pub stride: i32,
    pub kernel_y: i32,
    pub kernel_x: i32,
    pub step_y: i32,
    pub step_x: i32,
    pub pad_y: i32,
    pub pad_x: i32,
    pub dilation_y: i32,
    pub dilation_x: i32,
    pub function: Function,
    pub unused: i32,
}

/// Attention.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Attention {
    pub q: Address,
    pub k: Address,
    pub v: Address,
    pub out: Address,
    pub places: Address,
    pub kinds: Address,
    pub bias: Address,
    pub pictures: i32,
    pub groups: i32,
    pub heads: i32,
    pub depth: i32,
    pub queries: i32,
    pub keys: i32,
    pub q_rows: i32,
    pub k_rows: i32,
    pub q_stride: i32,
    pub k_stride: i32,
    pub out_stride: i32,
    pub scale: f32,
}

/// Layer normalisation.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct LayerNorm {
    pub input: Address,
    pub out: Address,
    pub weight: Address,
    pub bias: Address,
    pub rows: i32,
    pub channels: i32,
    pub stride: i32,
    pub eps: f32,
    pub out_f32: i32,
    pub unused: i32,
}

/// Global response normalisation.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct ResponseNorm {
    pub input: Address,
    pub out: Address,
    pub weight: Address,
    pub bias: Address,
    pub places: i32,
    pub channels: i32,
    pub stride: i32,
    pub eps: f32,
}

/// Functions of each number.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Map {
    pub input: Address,
    pub out: Address,
    pub scale: Address,
    pub shift: Address,
    pub other: Address,
    pub gate: Address,
    pub rows: i32,
    pub places: i32,
    pub stride: i32,
    pub function: Function,
}

/// Pooling by windows.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Pool {
    pub input: Address,
    pub out: Address,
    pub pictures: i32,
    pub in_height: i32,
    pub in_width: i32,
    pub out_height: i32,
    pub out_width: i32,
    pub stride: i32,
    pub kernel_y: i32,
    pub kernel_x: i32,
    pub step_y: i32,
    pub step_x: i32,
    pub pad_y: i32,
    pub pad_x: i32,
    pub end_y: i32,
    pub end_x: i32,
    pub average: i32,
    pub counts_padding: i32,
}

/// Means over cells.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Mean {
    pub input: Address,
    pub out: Address,
    pub pictures: i32,
    pub skip: i32,
    pub in_height: i32,
    pub in_width: i32,
    pub out_height: i32,
    pub out_width: i32,
    pub stride: i32,
    pub out_f32: i32,
}

/// Rows into rows.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Copy {
    pub input: Address,
    pub out: Address,
    pub table: Address,
    pub pictures: i32,
    pub rows: i32,
    pub channels: i32,
    pub in_rows: i32,
    pub from: i32,
    pub in_stride: i32,
    pub out_rows: i32,
    pub to: i32,
    pub out_stride: i32,
    pub out_first: i32,
    pub fill: i32,
    pub in_f32: i32,
    pub out_f32: i32,
    pub unused: i32,
}

/// Four neighbours as one place.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Merge {
    pub input: Address,
    pub out: Address,
    pub pictures: i32,
    pub in_height: i32,
    pub in_width: i32,
    pub channels: i32,
    pub in_stride: i32,
    pub out_stride: i32,
}

/// Channels in another order.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Select {
    pub input: Address,
    pub out: Address,
    pub rows: i32,
    pub channels: i32,
    pub first: i32,
    pub groups: i32,
    pub in_stride: i32,
    pub out_stride: i32,
}

/// Channels first, or places first.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Flatten {
    pub input: Address,
    pub out: Address,
    pub pictures: i32,
    pub places: i32,
    pub channels: i32,
    pub in_stride: i32,
    pub out_stride: i32,
    pub in_f32: i32,
    pub out_f32: i32,
    pub by_place: i32,
}

/// Bytes to numbers.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Normalise {
    pub pixels: Address,
    pub table: Address,
    pub out: Address,
    pub places: i32,
    pub stride: i32,
    pub reversed: i32,
    pub unused: i32,
}

/// For each token of a text a row of a table.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Lookup {
    pub table: Address,
    pub row: Address,
    pub out: Address,
    pub tokens: i32,
    pub stride: i32,
}

/// One vector of each text's tokens.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Gather {
    pub input: Address,
    pub out: Address,
    pub starts: Address,
    pub texts: i32,
    pub stride: i32,
    pub pooling: i32,
    pub out_f32: i32,
}

/// Parts of rows over the root of their mean square, or over their length.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct RootMean {
    pub input: Address,
    pub out: Address,
    pub weight: Address,
    pub rows: i32,
    pub parts: i32,
    pub channels: i32,
    pub stride: i32,
    pub eps: f32,
    pub out_f32: i32,
}

/// Heads turned by the places of their tokens.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct Rotary {
    pub input: Address,
    pub out: Address,
    pub angles: Address,
    pub place: Address,
    pub rows: i32,
    pub channels: i32,
    pub stride: i32,
    pub depth: i32,
    pub turned: i32,
    pub neighbours: i32,
}

/// Some queries of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct QueryTile {
    pub start: i32,
    pub tokens: i32,
    pub query: i32,
    pub unused: i32,
}

/// Attention within texts.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
#[expect(missing_docs, reason = "as in arguments.h")]
pub struct TextAttention {
    pub q: Address,
    pub k: Address,
    pub v: Address,
    pub out: Address,
    pub tiles: Address,
    pub distances: Address,
    pub heads: i32,
    pub sharing: i32,
    pub depth: i32,
    pub q_stride: i32,
    pub k_stride: i32,
    pub out_stride: i32,
    pub back: i32,
    pub ahead: i32,
    pub farthest: i32,
    pub scale: f32,
}
