//! Whether files hold networks of the zoo: `cargo run --release --example loads`, with lines `NETWORK<tab>FILE` on stdin.
//!
//! Each line gives `NETWORK<tab>ECOSYSTEM`, whose names the tensors have, or `-` where the file is not of that network. The
//! checks in `tests/peers` ask it for every network that libraries have.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use headstart_weights::{compare, open};
use network::zoo;
use std::{error::Error, io::stdin, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    for line in stdin().lines() {
        let line = line?;
        let (name, file) = line.split_once('\t').ok_or("expected NETWORK<tab>FILE")?;
        let entry = zoo::find(name)?;
        let compared = compare(&entry.network(), &[entry.default_tap], &*open(Path::new(file))?);
        println!("{name}\t{}", if compared.suffices { compared.dialect.name } else { "-" });
    }
    Ok(())
}
