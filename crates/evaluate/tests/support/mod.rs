//! A folder of its own for each test, features made on the spot, and the tool run as a user would.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a module of a test program, where a failure should panic"
)]

use std::path::{Path, PathBuf};
use std::process::Output;

use artifact::{Digest, Dtype, FeaturesWriter, Lineage, PROBES, Plan, Preprocessing, Row, Source, Split};
use assert_cmd::Command;
use tempfile::TempDir;

/// A fresh folder.
pub struct Room(TempDir);

/// What the features of a test are like; every number follows from it.
#[derive(Clone)]
pub struct Made {
    pub classes: Vec<&'static str>,
    pub dim: usize,
    /// Rows of each class in train, val and test.
    pub rows: [usize; 3],
    /// Rows of the last class in train, if other than that.
    pub last_class_train_rows: Option<usize>,
    /// A value that is put into the first train row.
    pub spoilt: Option<f32>,
}

impl Default for Made {
    fn default() -> Self {
        Made {
            classes: vec!["daisy", "roses", "tulips"],
            dim: 20,
            rows: [30, 10, 10],
            last_class_train_rows: None,
            spoilt: None,
        }
    }
}

impl Room {
    pub fn new() -> Room {
        Room(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the tool in the folder.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evaluate"));
        let output =
            command.args(arguments).envs(environment.iter().copied()).current_dir(self.0.path()).output();
        Run(output.unwrap())
    }

    /// Names in the folder, hidden ones too.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Writes `name`, a features folder: overlapping clusters, one a class.
    pub fn features(&self, name: &str, made: &Made) {
        let source = Source {
            backbone: "resnet18".into(),
            tap: "pooled".into(),
            network: Digest::of(b"network"),
            weights: Digest::of(b"weights"),
            preprocessing: Preprocessing::imagenet(),
            dtype: Dtype::F32,
            engine: "reference-1".into(),
        };
        let classes = made.classes.iter().map(|class| (*class).to_owned()).collect();
        let plan = Plan { classes, dim: made.dim, source, shard_bytes: 2000 };
        let mut writer = FeaturesWriter::create(&self.path(name), false, plan).unwrap();
        let mut noise = Noise(1);
        let mut spoilt = made.spoilt;
        for (label, class) in made.classes.iter().enumerate() {
            let mut rows = made.rows;
            if label + 1 == made.classes.len() {
                rows[0] = made.last_class_train_rows.unwrap_or(rows[0]);
            }
            for number in 0..rows.iter().sum::<usize>() {
                let split = match number {
                    n if n < rows[0] => Split::Train,
                    n if n < rows[0] + rows[1] => Split::Val,
                    _ => Split::Test,
                };
                let mut values: Vec<f32> = (0..made.dim)
                    .map(|column| {
                        let centre = if column % made.classes.len() == label { 0.7 } else { 0.0 };
                        centre + 2.0 * noise.next() + column as f32
                    })
                    .collect();
                if let (Split::Train, Some(value)) = (split, spoilt) {
                    values[3] = value;
                    spoilt = None;
                }
                let id = format!("{class}/{number:04}.png");
                let key = Digest::of(id.as_bytes());
                writer.push(Row { id: &id, label: label as u32, split, key, values: &values }).unwrap();
            }
        }
        let probes: Vec<f32> = (0..PROBES * made.dim).map(|i| i as f32 / 8.0).collect();
        let lineage = Lineage { dataset: Digest::of(b"dataset"), tool: "extract 0.1.0".into() };
        writer.finish(&probes, lineage, Vec::new()).unwrap();
    }
}

/// Uniform in [-1, 1): a linear congruential generator (Knuth's MMIX).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// A finished run.
pub struct Run(Output);

impl Run {
    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    /// The run, which must have succeeded.
    pub fn fine(self) -> Run {
        assert_eq!(self.code(), 0, "{}", self.stderr());
        self
    }

    /// It failed with `code`, no output, and one line that holds every one of `parts`.
    pub fn failed(&self, code: i32, parts: &[&str]) {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        assert_eq!(self.code(), code, "{stderr}");
        assert_eq!(stdout, "");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "no `{part}` in: {stderr}");
        }
    }
}

/// Flips one bit in the middle of a file.
pub fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}
