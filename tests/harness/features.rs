//! Features made on the spot, for tests that need no network.

use features::{FeaturesWriter, Lineage, NetworkSource, NewFeatures, Row, Source};
use input::{Augment, PROBES, Views, image::Preprocessing};
use sample::Split;
use std::path::Path;
use store::{Digest, Dtype};

/// What the features of a test are like; every number follows from it.
#[derive(Clone, Debug)]
pub struct Made {
    /// Class names.
    pub classes: Vec<&'static str>,
    /// d
    pub dim: usize,
    /// Rows of each class in train, val and test.
    pub rows: [usize; 3],
    /// Rows of the last class in train, if other than that.
    pub last_class_train_rows: Option<usize>,
    /// Views of each train sample: itself, and others that are nearly the same.
    pub views: u32,
    /// What they were read from: another tap has other values of the same samples.
    pub tap: &'static str,
    /// What the files held.
    pub pictures: &'static str,
}

impl Default for Made {
    fn default() -> Self {
        Made {
            classes: vec!["daisy", "roses", "tulips"],
            dim: 20,
            rows: [30, 10, 10],
            last_class_train_rows: None,
            views: 1,
            tap: "pooled",
            pictures: "dataset",
        }
    }
}

/// The network that computed some rows, to be changed.
///
/// # Panics
/// Where none did.
pub fn network(source: &mut Source) -> &mut NetworkSource {
    match source {
        Source::Network(network) => network,
        other => panic!("no network computed `{}`", other.name()),
    }
}

/// Overlapping clusters, one a class, in several shards.
pub(crate) fn write(path: &Path, made: &Made) {
    let source = NetworkSource {
        backbone: "resnet18".into(),
        tap: made.tap.into(),
        shape: [].into(),
        network: Digest::of(b"network"),
        weights: Digest::of(b"weights"),
        recipe: Preprocessing::imagenet().into(),
        dtype: Dtype::F32,
        engine: "reference-1".into(),
    }
    .into();
    let plan = NewFeatures { columns: vec!["label".into()], dim: made.dim, source, shard_bytes: 2000 };
    let mut writer = FeaturesWriter::create(path, false, plan).unwrap();
    let views = (made.views > 1).then(|| Views::new(made.views, [Augment::Flip], 0));
    if let Some(views) = &views {
        writer = writer.with_views(views.clone());
    }
    let mut noise = Noise(if made.tap == "pooled" { 1 } else { made.tap.len() as u64 });
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
            let values: Vec<f32> = (0..made.dim)
                .map(|column| {
                    let centre = if column % made.classes.len() == label { 0.7 } else { 0.0 };
                    centre + 2.0 * noise.next() + column as f32
                })
                .collect();
            let id = format!("{class}/{number:04}.png");
            let key = Digest::of(id.as_bytes());
            let row = Row { id: &id, texts: &[class], split, key, values: &values };
            writer.push(row).unwrap();
            for view in 1..views.as_ref().map_or(1, |views| views.of(split)) {
                let values: Vec<f32> = values.iter().map(|value| value + 1e-3 * view as f32).collect();
                writer.push_view(view, Row { values: &values, ..row }).unwrap();
            }
        }
    }
    let probes: Vec<f32> = (0..PROBES * made.dim).map(|i| i as f32 / 8.0).collect();
    let lineage = Lineage { dataset: Digest::of(made.pictures.as_bytes()), tool: "extract 0.1.0".into() };
    writer.finish(&probes, lineage, Vec::new()).unwrap();
}

/// Uniform in [-1, 1): a linear congruential generator (Knuth's MMIX).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}
