//! Faults and signals, job by job.

use crate::{
    Fault, Job, Shop, Tally,
    judge::Scene,
    run::Setting,
    shop::{Tree, tree},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// A job with what it must come to.
struct Trial<'a> {
    shop: &'a Shop,
    job: &'static Job,
    force: bool,
    right: Tree,
    before: Tree,
}

impl<'a> Trial<'a> {
    fn new(shop: &'a Shop, job: &'static Job, force: bool) -> Trial<'a> {
        let (right, _) = shop.undisturbed(job, job.arguments);
        let before = if force { shop.undisturbed(job, job.older).0 } else { Tree::new() };
        // Of the others some may well be the same.
        let first = |tree: &Tree| -> Tree {
            let own = tree.iter().filter(|(path, _)| path.starts_with(job.outputs[0]));
            own.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
        };
        assert!(first(&right) != first(&before), "{}: the older {} is the same", job.name, job.outputs[0]);
        Trial { shop, job, force, right, before }
    }

    fn name(&self) -> String {
        format!("{}{}", self.job.name, if self.force { "+f" } else { "" })
    }

    fn arguments(&self, force: bool) -> Vec<&'static str> {
        let force = force.then_some(self.job.replaces);
        self.job.arguments.iter().copied().chain(force).collect()
    }

    /// How often each function is called by a run that nothing disturbs.
    fn calls(&self) -> std::collections::BTreeMap<String, u64> {
        self.shop.restore(&self.before);
        self.shop.must(self.job.program, &self.arguments(self.force)).calls
    }

    /// One case; whether the fault was reached.
    fn fault(&self, fault: &Fault, tally: &mut Tally) -> bool {
        let case = format!("{} {fault}", self.name());
        let setting = Setting { fault: Some(fault.to_string()), timer: None };
        self.case(&case, &setting, (&fault.function, Some(fault.kind), fault.kind.signal()), tally)
    }

    fn moment(&self, signal: i32, after: Duration, tally: &mut Tally) {
        let case = format!("{} signal:{signal}:{}", self.name(), after.as_micros());
        let setting = Setting { fault: None, timer: Some((signal, after)) };
        self.case(&case, &setting, ("", None, Some(signal)), tally);
    }

    fn case(
        &self,
        case: &str,
        setting: &Setting,
        (function, kind, signal): (&str, Option<crate::Kind>, Option<i32>),
        tally: &mut Tally,
    ) -> bool {
        self.shop.restore(&self.before);
        let ending = self.shop.run(self.job.program, &self.arguments(self.force), setting);
        if setting.fault.is_some() && ending.fired.is_none() && !ending.hung() {
            return false;
        }
        let left = tree(&self.shop.work());
        let scene =
            Scene { job: self.job, right: &self.right, before: &self.before, left: &left, ending: &ending };
        let judged = scene.judge(function, kind, signal);
        // Whatever happened: the same command again gives what it would have given.
        let there = self.job.outputs.iter().any(|output| left.keys().any(|path| path.starts_with(output)));
        let again =
            self.shop.run(self.job.program, &self.arguments(self.force || there), &Setting::default());
        let after = tree(&self.shop.work());
        let mut wrong = judged.as_ref().err().cloned().unwrap_or_default();
        if again.code() != Some(0) {
            wrong.push(format!("the next run ends with {}: {}", again.how(), again.told()));
        } else if after != self.right {
            let differing = after.iter().filter(|(path, bytes)| self.right.get(*path) != Some(bytes));
            let names: Vec<_> = differing.map(|(path, _)| path.display().to_string()).take(5).collect();
            wrong.push(format!("the next run leaves other bytes or files: {names:?}"));
        }
        let judged = if wrong.is_empty() { judged } else { Err(wrong) };
        let at = ending.fired.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        tally.add(case, &format!("{} (at `{}`)", ending.told(), at.escape_debug()), ending.peak, judged);
        true
    }
}

/// Every function fails once in every way at every call, up to `limit` calls of each.
pub fn every_fault(shop: &Shop, job: &'static Job, force: bool, limit: u64) -> Tally {
    let trial = Trial::new(shop, job, force);
    let mut tally = Tally::new(trial.name());
    for (function, kind) in Fault::ways() {
        let reached =
            |nth: &u64| trial.fault(&Fault { function: function.into(), nth: *nth, kind }, &mut tally);
        (1..=limit).take_while(reached).for_each(drop);
    }
    tally
}

/// `count` faults, drawn by `seed` among all that can be reached.
pub fn some_faults(shop: &Shop, job: &'static Job, force: bool, count: usize, seed: u64) -> Tally {
    let trial = Trial::new(shop, job, force);
    let mut tally = Tally::new(trial.name());
    let calls = trial.calls();
    let ways: Vec<_> =
        Fault::ways().filter(|(function, _)| calls.get(*function).is_some_and(|&n| n > 0)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..count {
        let (function, kind) = ways[random.random_range(0..ways.len())];
        let nth = random.random_range(1..=calls[function]);
        trial.fault(&Fault { function: function.into(), nth, kind }, &mut tally);
    }
    tally
}

/// One fault, as the line of a bad case names it.
pub fn fault(shop: &Shop, job: &'static Job, force: bool, fault: &Fault) -> Tally {
    let mut tally = Tally::new(job.name);
    Trial::new(shop, job, force).fault(fault, &mut tally);
    tally
}

/// A signal at `count` moments of a run, drawn by `seed`.
pub fn moments(
    shop: &Shop,
    job: &'static Job,
    force: bool,
    signal: i32,
    (count, seed): (usize, u64),
) -> Tally {
    let trial = Trial::new(shop, job, force);
    let mut tally = Tally::new(format!("{} signal {signal}", trial.name()));
    shop.restore(&trial.before);
    let whole = shop.must(job.program, &trial.arguments(force)).took;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..count {
        let after = Duration::from_micros(random.random_range(0..whole.as_micros() as u64));
        trial.moment(signal, after, &mut tally);
    }
    tally
}

/// One signal, as the line of a bad case names it.
pub fn moment(shop: &Shop, job: &'static Job, force: bool, signal: i32, after: Duration) -> Tally {
    let mut tally = Tally::new(job.name);
    Trial::new(shop, job, force).moment(signal, after, &mut tally);
    tally
}

/// Signals at drawn moments, again and again until a run comes to its end, `rounds` times: what is there then has the bytes of
/// an undisturbed run, however often it was stopped.
pub fn stopped_again(shop: &Shop, job: &'static Job, signal: i32, (rounds, seed): (u64, u64)) -> Tally {
    /// Later stops come later, so that every round ends.
    const STOPS: u64 = 8;
    let trial = Trial::new(shop, job, false);
    let mut tally = Tally::new(format!("{} stopped by {signal}", job.name));
    shop.clear();
    let whole = shop.must(job.program, job.arguments).took.as_micros() as u64;
    for seed in seed..seed + rounds {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let case = format!("{} again:{signal}:{seed}", job.name);
        shop.clear();
        for stop in 1.. {
            let after = Duration::from_micros(random.random_range(0..whole * stop / STOPS + 1));
            let setting = Setting { fault: None, timer: Some((signal, after)) };
            // One that is stopped while its outputs take their places leaves the first ones there.
            let left = tree(&shop.work());
            let there = job.outputs.iter().any(|output| left.keys().any(|path| path.starts_with(output)));
            let ending = shop.run(job.program, &trial.arguments(there), &setting);
            let left = tree(&shop.work());
            let scene =
                Scene { job, right: &trial.right, before: &trial.before, left: &left, ending: &ending };
            let judged = scene.judge("", None, Some(signal));
            tally.add(&case, &ending.told(), ending.peak, judged);
            if ending.code() == Some(0) || ending.hung() {
                break;
            }
        }
    }
    tally
}
