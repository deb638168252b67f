//! Gradients against what outputs change by, and the same bits on any number of threads.

#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod cases;

use cases::{Case, families, filled, given, numbers, operations};
use headstart_train::{Gradients, Inputs, Learner};

/// A batch of a case, and the directions that its outputs are asked along.
struct Batch {
    given: Vec<Vec<f32>>,
    along: Vec<Vec<f32>>,
}

fn learner(case: &Case) -> Learner {
    Learner::new(filled(case.network.clone()), 1, 1).unwrap().learning(|_| true).with_inputs()
}

fn rows(case: &Case) -> usize {
    case.ends.last().copied().unwrap_or(case.samples)
}

impl Batch {
    fn of(case: &Case, learner: &Learner) -> Batch {
        let given = given(&case.network).into_iter().enumerate();
        let given: Vec<Vec<f32>> =
            given.map(|(at, shape)| numbers(100 + at as u64, rows(case) * shape.len())).collect();
        let slices: Vec<&[f32]> = given.iter().map(Vec::as_slice).collect();
        let inputs = Inputs { samples: case.samples, ends: &case.ends, given: &slices };
        let run = learner.run(&inputs).unwrap();
        let along = run.outputs().iter().map(|output| numbers(3, output.len())).collect();
        Batch { given, along }
    }

    /// Σ of outputs · along.
    fn value(&self, case: &Case, learner: &Learner, given: &[Vec<f32>]) -> f64 {
        let slices: Vec<&[f32]> = given.iter().map(Vec::as_slice).collect();
        let run = learner.run(&Inputs { samples: case.samples, ends: &case.ends, given: &slices }).unwrap();
        let pairs = run.outputs().iter().zip(&self.along);
        pairs
            .flat_map(|(output, along)| output.iter().zip(along))
            .map(|(y, a)| f64::from(*y) * f64::from(*a))
            .sum()
    }

    fn gradients(&self, case: &Case, learner: &Learner) -> Gradients {
        let slices: Vec<&[f32]> = self.given.iter().map(Vec::as_slice).collect();
        let run = learner.run(&Inputs { samples: case.samples, ends: &case.ends, given: &slices }).unwrap();
        let along: Vec<&[f32]> = self.along.iter().map(Vec::as_slice).collect();
        learner.gradients(run, &along).unwrap()
    }
}

fn length(x: &[f32]) -> f64 {
    x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}

/// x + step · along
fn moved(x: &[f32], step: f64, along: &[f32]) -> Vec<f32> {
    x.iter().zip(along).map(|(x, along)| (f64::from(*x) + step * f64::from(*along)) as f32).collect()
}

/// Along the gradient itself, and along numbers that have nothing to do with it.
fn check(what: &str, gradient: &[f32], value: &mut dyn FnMut(f64, &[f32]) -> f64) {
    let own = length(gradient);
    assert!(own.is_finite(), "{what}: {own}");
    let other = numbers(77, gradient.len());
    for (name, along) in [("itself", gradient), ("another", &other)] {
        let long = length(along);
        if long == 0.0 {
            // Nothing depends on it, or so it says: then along the other nothing changes.
            continue;
        }
        let expected: f64 =
            gradient.iter().zip(along).map(|(g, a)| f64::from(*g) * f64::from(*a)).sum::<f64>() / long;
        // Small steps lose digits, and large ones meet corners.
        let differs = [3e-3, 1e-3, 3e-4].map(|step| {
            let got = (value(step / long, along) - value(-step / long, along)) / (2.0 * step);
            (got - expected).abs()
        });
        let least = differs.into_iter().fold(f64::INFINITY, f64::min);
        let limit = 1e-2 * expected.abs() + 2e-3 * own.max(0.05);
        assert!(least < limit, "{what} along {name}: {expected:.6} is off by {least:.6}, allowed {limit:.6}");
    }
}

fn check_case(case: &Case) {
    let mut learner = learner(case);
    let batch = Batch::of(case, &learner);
    let gradients = batch.gradients(case, &learner);
    for at in 0..case.network.params().len() {
        let (name, is_statistic) = (case.network.params()[at].name.clone(), !learner.learns()[at]);
        assert_eq!(is_statistic, name.contains("running_"), "{}: {name}", case.name);
        let Some(gradient) = &gradients.params[at] else {
            assert!(is_statistic, "{}: nothing for `{name}`", case.name);
            continue;
        };
        let before = learner.params_mut()[at].data.clone();
        check(&format!("{}: {name}", case.name), gradient, &mut |step, along| {
            learner.params_mut()[at].data = moved(&before, step, along);
            batch.value(case, &learner, &batch.given)
        });
        learner.params_mut()[at].data = before;
    }
    for (at, gradient) in gradients.inputs.iter().enumerate() {
        let gradient = gradient.as_ref().unwrap();
        check(&format!("{}: input {at}", case.name), gradient, &mut |step, along| {
            let mut given = batch.given.clone();
            given[at] = moved(&given[at], step, along);
            batch.value(case, &learner, &given)
        });
    }
}

#[test]
fn of_every_operation_are_what_outputs_change_by() {
    operations().iter().for_each(check_case);
}

#[test]
fn do_not_depend_on_the_number_of_threads() {
    for case in operations().iter().chain(&families()) {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let learner = learner(case);
                let batch = Batch::of(case, &learner);
                let gradients = batch.gradients(case, &learner);
                (gradients.params, gradients.inputs)
            })
        };
        let (one, three) = (on(1), on(3));
        assert!(one == three, "{}", case.name);
        assert!(
            one.0.iter().flatten().chain(one.1.iter().flatten()).all(|x| x.iter().all(|x| x.is_finite()))
        );
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let said = |case: &Case, samples: usize, ends: &[usize], lengths: &[usize]| {
        let given: Vec<Vec<f32>> = lengths.iter().map(|length| vec![0.5; *length]).collect();
        let slices: Vec<&[f32]> = given.iter().map(Vec::as_slice).collect();
        learner(case).run(&Inputs { samples, ends, given: &slices }).unwrap_err().to_string()
    };
    let all = operations();
    let case = |name: &str| all.iter().find(|case| case.name == name).unwrap();
    let text =
        "rms_norm reads texts one after the other: where they end must ascend, with one end for each of 2";
    for (got, expected) in [
        (
            said(case("conv"), 2, &[], &[419]),
            "conv reads 420 numbers at `features` for such a batch, got 419",
        ),
        (said(case("conv"), 2, &[], &[]), "conv has 1 inputs, got 0"),
        (said(case("conv"), 0, &[], &[0]), "conv was given no sample"),
        (said(case("rms_norm"), 2, &[4], &[48]), text),
        (said(case("rms_norm"), 2, &[4, 4], &[48]), text),
        (said(case("rms_norm"), 2, &[0, 4], &[48]), text),
    ] {
        assert_eq!(got, expected);
    }
    let learner = learner(case("conv"));
    let given = vec![0.5; 210];
    let run = || learner.run(&Inputs { samples: 1, ends: &[], given: &[&given] }).unwrap();
    assert!(learner.gradients(run(), &[]).is_err());
    assert!(learner.gradients(run(), &[&[0.5; 3]]).is_err());
    // Tokens are looked up below every cut.
    let mut net = network::Builder::text();
    let x = net.lookup("words", network::By::Token, (10, 4));
    let error = Learner::new(filled(net.finish("texts", x)), 1, 1).unwrap_err().to_string();
    assert_eq!(error, "`tokens` of texts looks tokens up, and only what stands behind that can learn");
}

#[test]
fn only_what_learns_has_a_gradient_and_new_weights_are_used() {
    let all = operations();
    let case = all.iter().find(|case| case.name == "attention_biased").unwrap();
    let mut learner = Learner::new(filled(case.network.clone()), 1, 1).unwrap();
    learner = learner.learning(|param| param.name.starts_with("qkv"));
    let batch = Batch::of(case, &learner);
    let names: Vec<&str> = case.network.params().iter().map(|param| param.name.as_str()).collect();
    let gradients = batch.gradients(case, &learner);
    for (name, gradient) in names.iter().zip(&gradients.params) {
        assert_eq!(gradient.is_some(), name.starts_with("qkv"), "{name}");
    }
    assert!(gradients.inputs.is_empty());
    // A step down the gradient makes less of the loss.
    let before = batch.value(case, &learner, &batch.given);
    for (param, gradient) in learner.params_mut().iter_mut().zip(gradients.params) {
        let gradient = gradient.unwrap_or_else(|| vec![0.0; param.data.len()]);
        param.data.iter_mut().zip(gradient).for_each(|(x, slope)| *x -= 1e-3 * slope);
    }
    assert!(batch.value(case, &learner, &batch.given) < before);
    let moved = learner.bound().unwrap();
    let original = filled(case.network.clone());
    for ((param, now), (_, then)) in moved.tensors().zip(original.tensors()) {
        assert_eq!(now != then, param.name.starts_with("qkv"), "{}", param.name);
    }
}

#[test]
fn values_are_the_engines() {
    for case in operations().iter().chain(&families()).filter(|case| case.ends.is_empty()) {
        let bound = filled(case.network.clone());
        let learner = learner(case);
        let batch = Batch::of(case, &learner);
        let [given] = &batch.given[..] else { panic!("{}: one input", case.name) };
        let run = learner.run(&Inputs { samples: case.samples, ends: &[], given: &[given] }).unwrap();
        let expected = engine::Cpu::given(bound, engine::Isa::best()).unwrap().run_rows(given).unwrap();
        for (got, expected) in run.outputs().iter().zip(&expected) {
            let apart: Vec<f32> = got.iter().zip(expected).map(|(a, b)| a - b).collect();
            assert_eq!(got.len(), expected.len(), "{}", case.name);
            assert!(length(&apart) <= 1e-5 * length(expected), "{}: {}", case.name, length(&apart));
        }
    }
}
