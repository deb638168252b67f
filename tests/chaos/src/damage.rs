//! Inputs that are damaged: index, shard, probes, head, bundle, weights, manifests.

use crate::{
    Job, Shop, Tally,
    judge::{Outcome, said, sane},
    mutate::{self, Random},
    run::Setting,
    shop::{Tree, tree},
};
use rand::SeedableRng;
use std::{fs, path::Path};
use store::{Ours, table};

/// What is damaged, and who reads it.
pub struct Damage {
    /// How it is called on the command line of `chaos`.
    pub name: &'static str,
    file: &'static str,
    mutate: fn(&mut Random, &[u8]) -> Vec<u8>,
    reader: Job,
    /// Whether other outputs may come of it: a manifest is what its user says.
    free: bool,
}

const EVALUATE: Job = Job {
    name: "evaluate",
    program: "evaluate",
    arguments: &["small.features", "small.head", "-o", "m.csv", "--predictions", "p.csv"],
    older: &[],
    replaces: "--force",
    outputs: &["m.csv", "p.csv"],
    resumes: false,
};
const FIT: Job = Job {
    name: "fit",
    program: "fit-head",
    arguments: &["small.features", "-o", "o.head", "--l2", "1"],
    older: &[],
    replaces: "--force",
    outputs: &["o.head"],
    resumes: false,
};
const EXPORT: Job = Job {
    name: "onnx",
    program: "export",
    arguments: &["small.head", "-o", "o.onnx"],
    older: &[],
    replaces: "--force",
    outputs: &["o.onnx"],
    resumes: false,
};
const PREDICT: Job = Job {
    name: "predict",
    program: "predict",
    arguments: &["small.hst", "../in/small", "-o", "p.csv", "--on-error", "fail"],
    older: &[],
    replaces: "--force",
    outputs: &["p.csv"],
    resumes: false,
};
const WEIGHTS: Job = Job {
    name: "weights",
    program: "extract",
    arguments: &[
        "../in/small",
        "-o",
        "o.features",
        "--backbone",
        "headstart_tiny",
        "--weights",
        "w.safetensors",
    ],
    older: &[],
    replaces: "--force",
    outputs: &["o.features"],
    resumes: false,
};
const CSV: Job = Job {
    name: "csv",
    program: "extract",
    arguments: &["m.csv", "-o", "o.features", "--max-skipped", "100"],
    older: &[],
    replaces: "--force",
    outputs: &["o.features"],
    resumes: false,
};
const PARQUET: Job = Job {
    name: "parquet",
    program: "extract",
    arguments: &["m.parquet", "-o", "o.features", "--max-skipped", "100"],
    older: &[],
    replaces: "--force",
    outputs: &["o.features"],
    resumes: false,
};

/// Every kind.
pub const DAMAGES: &[Damage] = &[
    Damage { name: "index", file: "small.features/index.json", mutate: index, reader: EVALUATE, free: false },
    Damage { name: "index-fit", file: "small.features/index.json", mutate: index, reader: FIT, free: false },
    Damage {
        name: "shard",
        file: "small.features/shard-00000.rkyv",
        mutate: mutate::bytes,
        reader: EVALUATE,
        free: false,
    },
    Damage {
        name: "probes",
        file: "small.features/probes.rkyv",
        mutate: mutate::bytes,
        reader: EVALUATE,
        free: false,
    },
    Damage { name: "head", file: "small.head", mutate: head, reader: EVALUATE, free: false },
    Damage { name: "head-export", file: "small.head", mutate: head, reader: EXPORT, free: false },
    Damage { name: "bundle-read", file: "small.hst", mutate: head, reader: PREDICT, free: false },
    Damage { name: "weights", file: "w.safetensors", mutate: weights, reader: WEIGHTS, free: true },
    Damage { name: "csv", file: "m.csv", mutate: manifest, reader: CSV, free: true },
    Damage { name: "parquet", file: "m.parquet", mutate: mutate::bytes, reader: PARQUET, free: true },
];

fn index(random: &mut Random, good: &[u8]) -> Vec<u8> {
    mutate::json(random, std::str::from_utf8(good).unwrap())
}

fn head(random: &mut Random, good: &[u8]) -> Vec<u8> {
    mutate::safetensors(random, good, Some("headstart"))
}

fn weights(random: &mut Random, good: &[u8]) -> Vec<u8> {
    mutate::safetensors(random, good, None)
}

fn manifest(random: &mut Random, good: &[u8]) -> Vec<u8> {
    mutate::csv(random, std::str::from_utf8(good).unwrap())
}

impl Damage {
    /// By its name.
    pub fn named(name: &str) -> Option<&'static Damage> {
        DAMAGES.iter().find(|damage| damage.name == name)
    }
}

/// `count` damaged files, the first from `seed`, the next from the number after it.
pub fn damage(shop: &Shop, damage: &Damage, count: u64, seed: u64) -> Tally {
    let mut tally = Tally::new(format!("{} damaged", damage.name));
    let trial = Trial::new(shop, damage);
    for seed in seed..seed + count {
        trial.case(seed, &mut tally);
    }
    tally
}

struct Trial<'a> {
    shop: &'a Shop,
    damage: &'a Damage,
    /// The inputs, undamaged.
    inputs: Tree,
    right: Tree,
    good: Vec<u8>,
}

impl<'a> Trial<'a> {
    fn new(shop: &'a Shop, damage: &'a Damage) -> Trial<'a> {
        let inputs = shop.readable(damage.file);
        shop.restore(&inputs);
        shop.must(damage.reader.program, damage.reader.arguments);
        let right = tree(&shop.work());
        let good = inputs[Path::new(damage.file)].clone();
        Trial { shop, damage, inputs, right, good }
    }

    fn case(&self, seed: u64, tally: &mut Tally) {
        let Damage { name, file, mutate, reader, free } = self.damage;
        let mut random = Random::seed_from_u64(seed);
        let damaged = mutate(&mut random, &self.good);
        if damaged == self.good {
            return;
        }
        self.shop.restore(&self.inputs);
        fs::write(self.shop.work().join(file), &damaged).unwrap();
        let ending = self.shop.run(reader.program, reader.arguments, &Setting::default());
        let mut after = tree(&self.shop.work());
        let mut wrong = sane(&ending);
        // What it was given is not what it left.
        after.insert(file.into(), self.good.clone());
        if ending.code() == Some(0) {
            if after != self.right && !free {
                wrong.push("exit 0 with other outputs".to_owned());
            }
        } else if !ending.hung() {
            wrong.extend(said(&ending.stderr));
            if after != self.inputs {
                wrong.push("it was refused, and left something".to_owned());
            }
        }
        let outcome = if ending.code() == Some(0) { Outcome::Tolerated } else { Outcome::Refused };
        let judged = if wrong.is_empty() { Ok(outcome) } else { Err(wrong) };
        tally.add(&format!("{name} seed:{seed}"), &ending.told(), ending.peak, judged);
    }
}

impl Shop {
    /// The inputs of everybody who reads a file of this name: features, head, weights, or a manifest of the pictures.
    fn readable(&self, file: &str) -> Tree {
        let mut all = tree(&self.path("in"));
        match file.split('.').next() {
            Some("small") => {
                let own = ["small.features", "small.head", "small.hst"];
                all.retain(|path, _| own.iter().any(|name| path.starts_with(name)));
            }
            Some("w") => {
                let weights =
                    concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/backbone/headstart_tiny.safetensors");
                all = [(file.into(), fs::read(weights).unwrap())].into();
            }
            _ => {
                all.retain(|path, _| path.starts_with("small"));
                let mut rows = "path,label,split\n".to_owned();
                for path in all.keys().map(|path| path.to_str().unwrap()) {
                    let parts: Vec<&str> = path.split('/').collect();
                    rows += &format!("{path},{},{}\n", parts[2], parts[1]);
                }
                all.insert("m.csv".into(), rows.clone().into_bytes());
                if file.ends_with("parquet") {
                    let mut frame = table::read(&self.note("m.csv", &rows)).unwrap();
                    let parquet = self.path("notes/m.parquet");
                    table::write(&mut frame, &parquet, true, Ours::table("a manifest", &[])).unwrap();
                    all.remove(Path::new("m.csv"));
                    all.insert(file.into(), fs::read(parquet).unwrap());
                }
            }
        }
        all
    }
}
