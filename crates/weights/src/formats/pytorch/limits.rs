//! What is larger than in any honest checkpoint.

/// Bytes of a pickle. Those of the largest models have 10 MB.
pub(super) const PICKLE: usize = 256 << 20;
/// Steps of a pickle, some 30 for a tensor. Each makes at most one value of 32 bytes.
pub(super) const STEPS: usize = 1 << 22;
/// Tensors of a file.
pub(super) const TENSORS: usize = 1 << 17;
/// Dictionaries within one another.
pub(super) const DEPTH: usize = 64;
/// Entries of dictionaries that are looked at, where one is met each time that something refers to it.
pub(super) const ENTRIES: usize = 1 << 20;
/// Bytes of a tensor's name, with those of all dictionaries around it.
pub(super) const NAME: usize = 1024;
/// Axes of a tensor.
pub(super) const AXES: usize = 16;
/// Numbers of a tensor that repeats what is stored. All others have no more than are stored.
pub(super) const REPEATED: usize = 1 << 24;
