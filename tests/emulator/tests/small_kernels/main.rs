//! The small kernels against plain loops, for every kind of number, over sizes that divide nothing.

mod copies;
mod maps;
mod rig;
mod windows;
