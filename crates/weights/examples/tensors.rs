//! Lists the tensors of a weight file: `cargo run --release --example tensors -- FILE [OUT]`.
//!
//! Each line has a name, a shape, and what is wrong with the tensor, if anything is. Values go into OUT: little-endian f32, one
//! tensor after the other. The checks in `tests/peers` compare them with what other programs read.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::{
    env,
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1);
    let path = args.next().ok_or("usage: tensors FILE [OUT]")?;
    let mut out = args.next().map(File::create).transpose()?.map(BufWriter::new);
    let file = match headstart_weights::open(Path::new(&path)) {
        Ok(file) => file,
        Err(error) => {
            println!("{error}");
            std::process::exit(1);
        }
    };
    for name in file.names() {
        let shape = file.shape(name).unwrap_or_default();
        match file.read(name) {
            Ok(tensor) => {
                println!("{name}\t{shape:?}\t");
                for value in tensor.iter().flat_map(|tensor| &tensor.data) {
                    if let Some(out) = &mut out {
                        out.write_all(&value.to_le_bytes())?;
                    }
                }
            }
            Err(error) => println!("{name}\t{shape:?}\t{error}"),
        }
    }
    Ok(out.map_or(Ok(()), |mut out| out.flush())?)
}
