//! Made-up classes and rows: classes form kinds, and are mistaken for others of their kind.

use report::Samples;

const FEW: [&str; 10] = [
    "beagle",
    "goldfinch",
    "tabby",
    "basset",
    "bullfrog",
    "lynx",
    "robin",
    "bloodhound",
    "Persian cat",
    "tree frog",
];
/// Kinds of the few: dogs, birds, cats, frogs.
const FEW_KINDS: [usize; 10] = [0, 1, 2, 0, 3, 2, 1, 0, 2, 3];
const LOOKS: [&str; 20] = [
    "black-throated",
    "bearded",
    "brown",
    "collared",
    "common",
    "crested",
    "dwarf",
    "eastern",
    "golden",
    "great",
    "grey",
    "lesser",
    "long-tailed",
    "mountain",
    "northern",
    "pale",
    "red",
    "spotted",
    "striped",
    "white-winged",
];
const ANIMALS: [&str; 50] = [
    "adder",
    "antelope",
    "badger",
    "bat",
    "bear",
    "beetle",
    "bittern",
    "bunting",
    "butterfly",
    "carp",
    "cat",
    "crab",
    "crane",
    "crow",
    "deer",
    "dove",
    "duck",
    "eagle",
    "falcon",
    "finch",
    "flycatcher",
    "fox",
    "frog",
    "gecko",
    "goose",
    "grouse",
    "gull",
    "hare",
    "hawk",
    "heron",
    "ibis",
    "jay",
    "kingfisher",
    "lark",
    "lizard",
    "marten",
    "mouse",
    "newt",
    "owl",
    "perch",
    "plover",
    "rail",
    "seal",
    "shrike",
    "snake",
    "stork",
    "tern",
    "toad",
    "vole",
    "warbler",
];

/// What the pages are about.
pub(crate) struct World {
    pub(crate) classes: Vec<String>,
    pub(crate) kinds: Vec<usize>,
    pub(crate) samples: Samples,
    /// Rows on the plane: (x, y).
    pub(crate) places: Vec<(f32, f32)>,
}

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// 0 to 1.
    pub(crate) fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.part() * n as f64) as usize).min(n - 1)
    }

    /// Mean 0, standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.part()).ln()).sqrt() * (std::f64::consts::TAU * self.part()).cos()
    }
}

impl World {
    /// As many classes as there are names for, 10 or 1,000.
    pub(crate) fn new(classes: usize, rows: usize) -> World {
        let mut chance = Chance::new(7);
        let (names, kinds): (Vec<String>, Vec<usize>) = if classes == FEW.len() {
            (FEW.map(str::to_owned).to_vec(), FEW_KINDS.to_vec())
        } else {
            let named = |class: usize| {
                let animal = class * 13 % ANIMALS.len();
                (format!("{} {}", LOOKS[class / ANIMALS.len() % LOOKS.len()], ANIMALS[animal]), animal)
            };
            (0..classes).map(named).unzip()
        };
        let members: Vec<Vec<usize>> = (0..=kinds.iter().copied().max().unwrap_or(0))
            .map(|kind| (0..classes).filter(|&class| kinds[class] == kind).collect())
            .collect();
        let kind_at: Vec<(f64, f64)> =
            members.iter().map(|_| (spread(&mut chance), spread(&mut chance))).collect();
        let apart = if classes > 100 { 2.2 } else { 3.0 };
        let at: Vec<(f64, f64)> = kinds
            .iter()
            .map(|&kind| {
                (kind_at[kind].0 + apart * chance.normal(), kind_at[kind].1 + apart * chance.normal())
            })
            .collect();
        let hard: Vec<f64> = (0..classes).map(|_| 0.04 + 0.5 * chance.part().powi(3)).collect();

        let (mut samples, mut places) = (Samples::default(), Vec::new());
        for row in 0..rows {
            let truth = row * classes / rows;
            let wrong = chance.part() < hard[truth];
            let predicted =
                if wrong { mistaken(truth, &members[kinds[truth]], classes, &mut chance) } else { truth };
            let sure = if wrong { 0.25 + 0.7 * chance.part() } else { 1.0 - 0.75 * chance.part().powi(4) };
            let lean = if wrong { 0.3 + 0.5 * chance.part() } else { 0.05 * chance.part() };
            let between = |a: f64, b: f64| a + lean * (b - a);
            places.push((
                (between(at[truth].0, at[predicted].0) + 0.7 * chance.normal()) as f32,
                (between(at[truth].1, at[predicted].1) + 0.7 * chance.normal()) as f32,
            ));
            let folder = names[truth].replace(' ', "_");
            samples.ids.push(format!("val/{folder}/{folder}_{:05}.jpg", (row * 7919) % 100_000));
            samples.truth.push(truth as u32);
            samples.predicted.push(predicted as u32);
            samples.confidence.push(sure as f32);
        }
        World { classes: names, kinds, samples, places }
    }

    pub(crate) fn rows(&self) -> usize {
        self.samples.ids.len()
    }

    pub(crate) fn right(&self, row: usize) -> bool {
        self.samples.truth[row] == self.samples.predicted[row]
    }
}

fn spread(chance: &mut Chance) -> f64 {
    12.0 * (2.0 * chance.part() - 1.0)
}

/// Nine times in ten another of the kind, early ones more often.
fn mistaken(truth: usize, kind: &[usize], classes: usize, chance: &mut Chance) -> usize {
    loop {
        let class = if kind.len() > 1 && chance.part() < 0.9 {
            let own = kind.iter().position(|&class| class == truth).unwrap_or(0);
            kind[(own + 1 + (chance.part().powi(2) * (kind.len() - 1) as f64) as usize) % kind.len()]
        } else {
            chance.below(classes)
        };
        if class != truth {
            return class;
        }
    }
}
