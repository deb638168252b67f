//! What must hold for any scores whatever.

use headstart_metrics::{
    Confusion, Scored, brier_score_loss, expected_calibration_error, hits_at, log_loss, wilson,
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

proptest! {
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
        let interval = wilson(hits, trials).unwrap();
        prop_assert!(0.0 <= interval.low && interval.low <= p && p <= interval.high && interval.high <= 1.0);
    }
}
