//! What must hold for any scores whatever.

use headstart_metrics::{
    Binning, Confusion, Metric, MultiLabel, MultiLabelMetric, MultiLabelOutcomes, MultiLabelScores,
    OneVsRest, Outcomes, Rankings, Regression, RegressionMetric, Scored, brier_score_loss, differences,
    estimates, expected_calibration_error, hits_at, log_loss, multi_label_estimates, proportion,
    regression_estimates,
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

/// Everything that the rows' order and number could decide, of one set of scores.
fn everything(labels: &[u32], probabilities: &[f64], classes: usize, block: usize) -> (Outcomes, String) {
    let mut outcomes = Outcomes::new(classes);
    for (labels, rows) in labels.chunks(block).zip(probabilities.chunks(block * classes)) {
        outcomes.push(labels, rows).expect("fits");
    }
    let mut pass = OneVsRest::new(&outcomes);
    for rows in probabilities.chunks(block * classes) {
        pass.push(rows).expect("fits");
    }
    let rankings = pass.finish().expect("fits");
    let mut metrics = Metric::overall(classes);
    metrics.extend(Metric::per_class(classes));
    let estimates = estimates(&outcomes, &metrics);
    let truth: Vec<bool> = probabilities.iter().map(|p| p * 1024.0 % 2.0 > 1.0).collect();
    let rows = MultiLabel::new(&truth, probabilities, classes).expect("fits");
    let many = (
        MultiLabelScores::of(&rows),
        multi_label_estimates(&MultiLabelOutcomes::of(&rows), &MultiLabelMetric::overall()),
    );
    let values = Regression::new(outcomes.own(), outcomes.confidences()).expect("fits");
    let values = regression_estimates(&[values], &RegressionMetric::ALL);
    // Debug output tells every bit of a number but the sign of nan.
    let text = format!("{rankings:?} {:?} {estimates:?} {many:?} {values:?}", outcomes.tally());
    (outcomes, text)
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
        let outcomes = Outcomes::of(&Scored::new(&labels, &probabilities, classes).unwrap());
        let rows: Vec<usize> = (0..labels.len()).filter(|row| seed >> (row % 64) & 1 == 1).collect();
        let mut alone = Outcomes::new(classes);
        for &row in &rows {
            alone.push(&labels[row..=row], &probabilities[row * classes..(row + 1) * classes]).unwrap();
        }
        prop_assert_eq!(&outcomes.select(&rows), &alone);
        let (tally, confusion) = (alone.tally(), Confusion::of_outcomes(&alone));
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
        let all = Outcomes::of(&Scored::new(&labels, &probabilities, classes).unwrap());
        let shuffled = all.select(&order);
        for metric in Metric::overall(classes) {
            let (a, b) = (all.tally().value(metric), shuffled.tally().value(metric));
            prop_assert_eq!(a.is_some(), b.is_some());
            prop_assert!(a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-12), "{}: {:?} {:?}", metric, a, b);
        }
        let rows = order.iter().flat_map(|&row| &probabilities[row * classes..(row + 1) * classes]);
        let rows: Vec<f64> = rows.copied().collect();
        let [a, b] = [(&labels[..], &probabilities), (shuffled.labels(), &rows)]
            .map(|(labels, rows)| Rankings::of(&Scored::new(labels, rows, classes).unwrap()));
        prop_assert_eq!(a.per_class(), b.per_class());
        prop_assert_eq!(a.macro_roc_auc(), b.macro_roc_auc());
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
        let outcomes = Outcomes::of(&Scored::new(&labels, &probabilities, classes).unwrap());
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
        let first = Outcomes::of(&Scored::new(&labels, &probabilities, classes).unwrap());
        let rows = probabilities.chunks_exact(classes);
        let mirrored: Vec<f64> = rows.flat_map(|row| row.iter().rev().copied()).collect();
        let second = Outcomes::of(&Scored::new(&labels, &mirrored, classes).unwrap());
        let metrics = Metric::overall(classes);
        let there = differences(&first, &second, &metrics).unwrap();
        let back = differences(&second, &first, &metrics).unwrap();
        for (there, back) in there.iter().zip(&back) {
            prop_assert_eq!(there.difference, back.difference.map(|difference| -difference));
            if let Some((a, b)) = there.interval.zip(back.interval) {
                prop_assert!((a.low + b.high).abs() < 1e-12 && (a.high + b.low).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn ranges_and_identities((labels, probabilities, classes) in scores()) {
        let scored = Scored::new(&labels, &probabilities, classes).unwrap();
        let confusion = Confusion::of(&scored);
        prop_assert_eq!(confusion.total(), labels.len() as u64);
        for value in [
            confusion.accuracy(),
            confusion.balanced_accuracy(),
            confusion.macro_average(|class| class.f1),
            confusion.weighted_average(|class| class.precision),
            expected_calibration_error(&scored),
            brier_score_loss(&scored) / 2.0,
        ] {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{}", value);
        }
        // Recall weighted by support is accuracy.
        let weighted = confusion.weighted_average(|class| class.recall);
        prop_assert!((weighted - confusion.accuracy()).abs() < 1e-12);
        prop_assert!(log_loss(&scored) >= 0.0);
        let mistakes: u64 = confusion.mistakes().iter().map(|pair| pair.count).sum();
        prop_assert_eq!(mistakes, confusion.total() - confusion.correct());
    }

    #[test]
    fn hits_grow_with_k((labels, probabilities, classes) in scores()) {
        let scored = Scored::new(&labels, &probabilities, classes).unwrap();
        let hits: Vec<u64> = (0..classes).map(|k| hits_at(&scored, k).unwrap()).collect();
        prop_assert!(hits.is_sorted());
        prop_assert_eq!(hits[0], 0);
        prop_assert_eq!(hits_at(&scored, classes), None);
    }

    #[test]
    fn the_order_of_rows_does_not_matter((labels, probabilities, classes) in scores()) {
        let reversed_labels: Vec<u32> = labels.iter().rev().copied().collect();
        let reversed: Vec<f64> = probabilities.chunks_exact(classes).rev().flatten().copied().collect();
        let (a, b) = (
            Scored::new(&labels, &probabilities, classes).unwrap(),
            Scored::new(&reversed_labels, &reversed, classes).unwrap(),
        );
        prop_assert_eq!(Confusion::of(&a), Confusion::of(&b));
        prop_assert!((log_loss(&a) - log_loss(&b)).abs() < 1e-12);
        prop_assert!((expected_calibration_error(&a) - expected_calibration_error(&b)).abs() < 1e-12);
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
        let outcomes = Outcomes::of(&Scored::new(&labels, &probabilities, classes).unwrap());
        let mut metrics = Metric::overall(classes);
        metrics.extend(Metric::per_class(classes));
        for (metric, found) in metrics.iter().zip(estimates(&outcomes, &metrics)) {
            let Some(ends) = found.interval else { continue };
            let value = found.value.unwrap();
            prop_assert!(ends.low <= value + 1e-12 && value <= ends.high + 1e-12, "{}: {:?}", metric, found);
            prop_assert!(ends.high - ends.low > 1e-3, "{}: {:?}", metric, found);
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
        let macros = [
            (rankings.macro_roc_auc(), rankings.macro_roc_auc_interval()),
            (rankings.macro_average_precision(), rankings.macro_average_precision_interval()),
        ];
        for (value, ends) in macros {
            prop_assert_eq!(value.is_some(), ends.is_some());
            let within = value.zip(ends).is_none_or(|(value, ends)| ends.low <= value && value <= ends.high);
            prop_assert!(within, "{:?} {:?}", value, ends);
        }
    }
}
