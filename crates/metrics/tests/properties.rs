//! What must hold for any scores whatever.

use headstart_metrics::{
    Binning, ClassOutcomes, ClassRows, Confusion, Figure, LabelOutcomes, NumberOutcomes, OneVsRest,
    Outcomes as _, Rankings, Scored, differences, figures, named, proportion,
};
use proptest::prelude::*;

/// Labels and probabilities of up to 60 rows and 2 to 9 classes, quantised so that ties are frequent.
fn scores() -> impl Strategy<Value = (Vec<u32>, Vec<f64>, usize)> {
    (1usize..60, 2usize..10).prop_flat_map(|(rows, classes)| {
        let labels = prop::collection::vec(0..classes as u32, rows);
        let raw = prop::collection::vec(0u8..6, rows * classes);
        (labels, raw, Just(classes)).prop_map(|(labels, raw, classes)| {
            let rows = raw.chunks_exact(classes);
            let probabilities = rows.flat_map(|row| {
                let sum = row.iter().map(|&v| f64::from(v) + 0.5).sum::<f64>();
                row.iter().map(move |&v| (f64::from(v) + 0.5) / sum).collect::<Vec<_>>()
            });
            (labels, probabilities.collect(), classes)
        })
    })
}

/// What `of` gives on a pool of `threads` threads.
fn on<T: Send>(threads: usize, of: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("fits").install(of)
}

/// All rows, pushed at once.
fn outcomes(labels: &[u32], probabilities: &[f64], classes: usize) -> ClassOutcomes {
    ClassRows::of(&Scored::new(labels, probabilities, classes).expect("fits")).finish()
}

fn value(figures: &[Figure], name: &str) -> f64 {
    named(figures, name).and_then(|figure| figure.estimate.value).expect("is defined")
}

/// Everything that the rows' order and number could decide, of one set of scores.
fn everything(labels: &[u32], probabilities: &[f64], classes: usize, block: usize) -> (ClassRows, String) {
    let mut rows = ClassRows::new(classes);
    for (labels, block) in labels.chunks(block).zip(probabilities.chunks(block * classes)) {
        rows.push(labels, block).expect("fits");
    }
    let mut pass = OneVsRest::new(&rows);
    for block in probabilities.chunks(block * classes) {
        pass.push(block).expect("fits");
    }
    let rankings = pass.finish().expect("fits");
    let outcomes = rows.clone().finish().ranked(rankings.clone());
    let alone: Vec<Vec<Figure>> = outcomes.alone().map(|class| figures(&class)).collect();
    let truth: Vec<bool> = probabilities.iter().map(|p| p * 1024.0 % 2.0 > 1.0).collect();
    let many = LabelOutcomes::new(truth, probabilities.to_vec(), classes);
    let many = many.expect("fits").ranked();
    let labels: Vec<Vec<Figure>> = many.alone().map(|label| figures(&label)).collect();
    let values = NumberOutcomes::new(rows.own(), rows.confidences(), 1).expect("fits");
    // Debug output tells every bit of a number but the sign of nan.
    let of = (figures(&outcomes), alone, figures(&many), labels, figures(&values));
    let text = format!("{rankings:?} {:?} {of:?}", outcomes.tally());
    (rows, text)
}

proptest! {
    #[test]
    fn neither_blocks_nor_threads_change_a_bit(
        (labels, probabilities, classes) in scores(),
        block in 1usize..20,
    ) {
        let whole = on(1, || everything(&labels, &probabilities, classes, labels.len()));
        for threads in [2, 5] {
            let parts = on(threads, || everything(&labels, &probabilities, classes, block));
            prop_assert_eq!(&parts, &whole);
        }
    }

    #[test]
    fn a_slice_is_its_rows((labels, probabilities, classes) in scores(), seed in any::<u64>()) {
        let outcomes = outcomes(&labels, &probabilities, classes);
        let rows: Vec<usize> = (0..labels.len()).filter(|row| seed >> (row % 64) & 1 == 1).collect();
        let mut alone = ClassRows::new(classes);
        for &row in &rows {
            alone.push(&labels[row..=row], &probabilities[row * classes..(row + 1) * classes]).unwrap();
        }
        let selected = outcomes.select(&rows);
        prop_assert_eq!(selected.each(), &alone);
        let confusion = Confusion::of(&alone);
        let alone = alone.finish();
        let tally = alone.tally();
        prop_assert_eq!(tally.marginals(), confusion.marginals());
        prop_assert_eq!(tally.rows(), rows.len() as u64);
    }

    #[test]
    fn shuffled_rows_have_the_same_metrics(
        (labels, probabilities, classes) in scores(),
        seed in any::<u64>(),
    ) {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&row| (row as u64 + 1).wrapping_mul(seed | 1) >> 20);
        let all = outcomes(&labels, &probabilities, classes);
        let shuffled = all.select(&order);
        for (a, b) in figures(&all).iter().zip(figures(&shuffled)) {
            let (name, a, b) = (a.about.name, a.estimate.value, b.estimate.value);
            prop_assert_eq!(a.is_some(), b.is_some());
            prop_assert!(a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-12), "{}: {:?} {:?}", name, a, b);
        }
        let rows = order.iter().flat_map(|&row| &probabilities[row * classes..(row + 1) * classes]);
        let rows: Vec<f64> = rows.copied().collect();
        let [a, b] = [(&labels[..], &probabilities), (shuffled.each().labels(), &rows)]
            .map(|(labels, rows)| Rankings::of(&Scored::new(labels, rows, classes).unwrap()));
        prop_assert_eq!(a.per_class(), b.per_class());
        prop_assert_eq!(a.macro_roc_auc().value, b.macro_roc_auc().value);
    }

    #[test]
    fn rankings_count_pairs((labels, probabilities, classes) in scores()) {
        let rankings = Rankings::of(&Scored::new(&labels, &probabilities, classes).unwrap());
        for class in 0..classes {
            let score = |row: usize| probabilities[row * classes + class];
            let (ours, others): (Vec<usize>, Vec<usize>) =
                (0..labels.len()).partition(|&row| labels[row] as usize == class);
            let Some(ranking) = rankings.class(class) else {
                prop_assert!(ours.is_empty() || others.is_empty());
                prop_assert!(rankings.roc_curve(class, 9).is_empty());
                continue;
            };
            let wins: f64 = ours
                .iter()
                .flat_map(|&row| others.iter().map(move |&other| (row, other)))
                .map(|(row, other)| 0.5 * (1.0 + f64::from(score(row).total_cmp(&score(other)) as i8)))
                .sum();
            prop_assert_eq!(ranking.roc_auc, wins / (ours.len() * others.len()) as f64);
            let curve = rankings.roc_curve(class, 9);
            prop_assert!(curve.len() <= 9 && curve.len() >= 2);
            prop_assert!(curve.is_sorted_by_key(|point| point.true_positive_rate));
            prop_assert!(curve.is_sorted_by_key(|point| point.false_positive_rate));
        }
    }

    #[test]
    fn bins_hold_every_row((labels, probabilities, classes) in scores()) {
        let outcomes = outcomes(&labels, &probabilities, classes);
        let tally = outcomes.tally();
        for binning in [Binning::EqualWidth, Binning::EqualMass] {
            let bins = tally.bins(binning).reliability();
            prop_assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), tally.rows());
            for bin in &bins {
                // The mean is rounded; its rows are within their edges.
                let edges = bin.low - 1e-12..=bin.high + 1e-12;
                prop_assert!(edges.contains(&bin.confidence), "{:?}", bin);
            }
        }
        let curve = outcomes.rejection_curve(200);
        let all = curve.last().unwrap();
        prop_assert_eq!(all.coverage, 1.0);
        prop_assert!((1.0 - all.risk - tally.marginals().accuracy()).abs() < 1e-12);
    }

    #[test]
    fn differences_turn_around((labels, probabilities, classes) in scores()) {
        let first = outcomes(&labels, &probabilities, classes);
        let rows = probabilities.chunks_exact(classes);
        let mirrored: Vec<f64> = rows.flat_map(|row| row.iter().rev().copied()).collect();
        let second = outcomes(&labels, &mirrored, classes);
        let there = differences(&first, &second).unwrap();
        let back = differences(&second, &first).unwrap();
        for (there, back) in there.iter().zip(&back) {
            prop_assert_eq!(there.difference, back.difference.map(|difference| -difference));
            if let Some((a, b)) = there.interval.zip(back.interval) {
                prop_assert!((a.low + b.high).abs() < 1e-12 && (a.high + b.low).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn ranges_and_identities((labels, probabilities, classes) in scores()) {
        let outcomes = outcomes(&labels, &probabilities, classes);
        let confusion = Confusion::of(outcomes.each());
        prop_assert_eq!(confusion.total(), labels.len() as u64);
        let found = figures(&outcomes);
        for name in ["accuracy", "balanced_accuracy", "macro_f1", "weighted_precision", "ece"] {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value(&found, name)), "{}", name);
        }
        prop_assert!((0.0..=2.0 + 1e-12).contains(&value(&found, "brier_score_loss")));
        // Recall weighted by support is accuracy.
        let gap = value(&found, "weighted_recall") - value(&found, "accuracy");
        prop_assert!(gap.abs() < 1e-12);
        prop_assert!(value(&found, "log_loss") >= 0.0);
        let mistakes: u64 = confusion.mistakes().iter().map(|pair| pair.count).sum();
        prop_assert_eq!(mistakes, confusion.total() - confusion.correct());
    }

    #[test]
    fn hits_grow_with_k((labels, probabilities, classes) in scores()) {
        let outcomes = outcomes(&labels, &probabilities, classes);
        let hits: Vec<u64> = (0..classes).map(|k| outcomes.tally().hits_at(k).unwrap()).collect();
        prop_assert!(hits.is_sorted());
        prop_assert_eq!(hits[0], 0);
        prop_assert_eq!(outcomes.tally().hits_at(classes), None);
    }

    #[test]
    fn intervals_hold_their_proportion(trials in 1u64..10_000, part in 0.0f64..=1.0) {
        let hits = (trials as f64 * part) as u64;
        let p = hits as f64 / trials as f64;
        let interval = proportion(hits, trials).unwrap();
        prop_assert!(0.0 <= interval.low && interval.low <= p && p <= interval.high && interval.high <= 1.0);
    }

    #[test]
    fn intervals_hold_their_value_and_have_a_width((labels, probabilities, classes) in scores()) {
        let outcomes = outcomes(&labels, &probabilities, classes);
        let alone = outcomes.alone().flat_map(|class| figures(&class));
        for figure in figures(&outcomes).into_iter().chain(alone) {
            let Some(ends) = figure.estimate.interval else { continue };
            let value = figure.estimate.value.unwrap();
            prop_assert!(ends.low <= value + 1e-12 && value <= ends.high + 1e-12, "{:?}", figure);
            prop_assert!(ends.high - ends.low > 1e-3, "{:?}", figure);
        }
        let rankings = Rankings::of(&Scored::new(&labels, &probabilities, classes).unwrap());
        for class in rankings.per_class().iter().flatten() {
            for (value, ends) in [
                (class.roc_auc, class.roc_auc_interval()),
                (class.average_precision, class.average_precision_interval()),
            ] {
                prop_assert!(0.0 <= ends.low && ends.low <= value && value <= ends.high && ends.high <= 1.0);
            }
        }
        for found in [rankings.macro_roc_auc(), rankings.macro_average_precision()] {
            prop_assert_eq!(found.value.is_some(), found.interval.is_some());
            let within = |(value, ends): (f64, headstart_metrics::Interval)| ends.low <= value && value <= ends.high;
            prop_assert!(found.value.zip(found.interval).is_none_or(within), "{:?}", found);
        }
    }
}
