//! `look copies|map FEATURES DIM`: near-duplicates (rows, cosine, ratio; one pair a line) or map (x, y; one row a line) of
//! a raw little-endian f32 matrix, on stdout, and how long each part took, on stderr. For tests/peers and for measuring.
#![expect(clippy::print_stdout, reason = "the lines are what this program is for")]

use std::{error::Error, time::Instant};

use features::Matrix;
use review::{NEIGHBOURS, Neighbours, Rule, Space, map, near_duplicates};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, features, dim] = arguments.as_slice() else {
        return Err("usage: look copies|map FEATURES DIM".into());
    };
    let values: Vec<f32> =
        std::fs::read(features)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let rows = Matrix::new(&values, dim.parse()?)?;
    let started = Instant::now();
    if what == "map" {
        let points = map(&rows)?;
        eprintln!("map: {:.2?}", started.elapsed());
        points.as_chunks::<2>().0.iter().for_each(|[x, y]| println!("{x} {y}"));
        return Ok(());
    }
    let space = Space::whitened(&rows)?;
    eprintln!("space of {} columns: {:.2?}", space.dim(), started.elapsed());
    let started = Instant::now();
    let neighbours = Neighbours::find(&space, NEIGHBOURS);
    eprintln!("neighbours: {:.2?}", started.elapsed());
    for pair in near_duplicates(&neighbours, &Rule::default()) {
        println!("{} {} {} {}", pair.first, pair.second, pair.similarity, pair.ratio);
    }
    Ok(())
}
