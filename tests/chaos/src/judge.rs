//! What must hold of a disturbed run: the one place where that is decided.

use crate::{Job, Kind, fault::SIGKILL, run::Ending, shop::Tree};
use std::{collections::BTreeSet, ffi::OsStr, path::Path};

const SIGABRT: i32 = 6;
/// As a shell counts a program that SIGINT ended.
const INTERRUPTED: i32 = 130;
/// No line of ours is longer.
const LINE: usize = 500;
/// No run of these sizes takes more, in MiB.
const PEAK: u64 = 1024;

/// How a case came out, where nothing is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It went on as if nothing had been.
    Tolerated,
    /// It said why not.
    Refused,
    /// It was ended by a signal.
    Killed,
}

/// What was there before, what the disturbed run left, and what is right.
pub(crate) struct Scene<'a> {
    pub(crate) job: &'a Job,
    /// The outputs of an undisturbed run.
    pub(crate) right: &'a Tree,
    /// What `--force` was to replace; nothing without it.
    pub(crate) before: &'a Tree,
    pub(crate) left: &'a Tree,
    pub(crate) ending: &'a Ending,
}

impl Scene<'_> {
    /// Everything that is wrong after a fault, and else how it came out.
    pub(crate) fn judge(
        &self,
        function: &str,
        kind: Option<Kind>,
        signal: Option<i32>,
    ) -> Result<Outcome, Vec<String>> {
        let mut wrong = Vec::new();
        let ending = self.ending;
        for output in self.job.outputs {
            let [left, right, before] = [self.left, self.right, self.before].map(|tree| part(tree, output));
            if left != right && left != before {
                let what = if left.is_empty() { "is gone" } else { "is neither the old nor the new one" };
                wrong.push(format!("{output} {what}"));
            }
        }
        let hidden = self.hidden();
        let outcome = if ending.hung() {
            wrong.push("hung".to_owned());
            Outcome::Killed
        } else if signal == Some(SIGKILL) && ending.code().is_none() {
            Outcome::Killed
        } else if ending.code() == Some(0) {
            wrong.extend(self.incomplete());
            // What could not be removed is the next run's.
            let aside = |path: &str| path.split('/').any(|part| part.starts_with(".o."));
            let removing = function == "remove" || ending.fired.as_deref().is_some_and(aside);
            if !hidden.is_empty() && !removing {
                wrong.push(format!("exit 0 leaves {hidden:?}"));
            }
            Outcome::Tolerated
        } else if let Some(signal) = signal {
            wrong.extend(self.stopped(signal, &hidden));
            Outcome::Killed
        } else if ending.signal() == Some(SIGABRT) && function == "memory" {
            // Rust's allocator: nobody can go on without memory.
            Outcome::Refused
        } else {
            wrong.extend(self.refused(&hidden, function == "remove"));
            Outcome::Refused
        };
        if matches!(kind, Some(Kind::Fails(EPIPE))) && function == "print" && ending.code() != Some(0) {
            wrong.push(format!("a closed stdout is {}", ending.how()));
        }
        if wrong.is_empty() { Ok(outcome) } else { Err(wrong) }
    }

    /// What is wrong with an answer to SIGINT or SIGTERM.
    fn stopped(&self, signal: i32, hidden: &BTreeSet<String>) -> Vec<String> {
        let mut wrong = Vec::new();
        // Before a program listens, a signal ends it at once: there is nothing yet that it could leave.
        let at_once = self.ending.signal() == Some(signal);
        if !at_once && self.ending.code() != Some(INTERRUPTED) {
            wrong.push(format!("signal {signal} gave {}", self.ending.how()));
        }
        if !at_once {
            wrong.extend(said(&self.ending.stderr));
        }
        if !hidden.is_empty() && !self.can_be_resumed(hidden) {
            wrong.push(format!("signal {signal} leaves {hidden:?}"));
        }
        wrong
    }

    /// What is wrong with a failure.
    fn refused(&self, hidden: &BTreeSet<String>, removing: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        if !matches!(self.ending.code(), Some(1..=3)) {
            wrong.push(self.ending.how());
        }
        wrong.extend(said(&self.ending.stderr));
        if !hidden.is_empty() && !removing && !self.can_be_resumed(hidden) {
            wrong.push(format!("a failure leaves {hidden:?}"));
        }
        wrong
    }

    /// Outputs that are not what an undisturbed run gives.
    fn incomplete(&self) -> Option<String> {
        let differing: Vec<&str> = self
            .job
            .outputs
            .iter()
            .copied()
            .filter(|output| part(self.left, output) != part(self.right, output))
            .collect();
        (!differing.is_empty()).then(|| format!("exit 0 with other bytes in {differing:?}"))
    }

    /// Names in the folder that are no outputs.
    pub(crate) fn hidden(&self) -> BTreeSet<String> {
        let first = |path: &Path| path.iter().next().and_then(OsStr::to_str).map(str::to_owned);
        let names = self.left.keys().filter_map(|path| first(path));
        names.filter(|name| !self.job.outputs.contains(&name.as_str())).collect()
    }

    /// Whether all of it is whole shards that the next run takes over.
    fn can_be_resumed(&self, hidden: &BTreeSet<String>) -> bool {
        let shards = |name: &String| {
            let mut files = self.left.keys().filter(|path| path.starts_with(name));
            files.any(|path| path.extension() == Some(OsStr::new("rkyv")))
        };
        self.job.resumes && hidden.iter().all(shards)
    }
}

const EPIPE: i32 = 32;

/// Everything that is wrong with what a refused run said: it has to be one short line that a terminal can show.
pub(crate) fn said(stderr: &[u8]) -> Vec<String> {
    let Ok(told) = std::str::from_utf8(stderr) else {
        return vec!["what it said is not UTF-8".to_owned()];
    };
    let mut wrong = Vec::new();
    let lines = told.lines().count();
    if lines != 1 {
        wrong.push(format!("{lines} lines on stderr"));
    }
    if told.trim_end_matches('\n').chars().any(char::is_control) {
        wrong.push("control characters on stderr".to_owned());
    }
    if told.chars().count() > LINE + 1 {
        wrong.push(format!("{} characters on stderr", told.chars().count()));
    }
    if told.contains("internal error") || told.contains("panicked") {
        wrong.push("a panic".to_owned());
    }
    wrong
}

/// What is wrong with a run whatever it did: memory, and how it ended.
pub(crate) fn sane(ending: &Ending) -> Vec<String> {
    let mut wrong = Vec::new();
    if ending.hung() {
        wrong.push("hung".to_owned());
    } else if ending.signal().is_some() || !matches!(ending.code(), Some(0..=3)) {
        wrong.push(ending.how());
    }
    if ending.peak > PEAK {
        wrong.push(format!("{} MiB of memory", ending.peak));
    }
    wrong
}

/// The files of one output.
fn part<'a>(tree: &'a Tree, output: &str) -> Vec<(&'a Path, &'a [u8])> {
    let own = tree.iter().filter(|(path, _)| path.starts_with(output));
    own.map(|(path, bytes)| (path.as_path(), bytes.as_slice())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_plain_line_is_one() {
        let long = format!("extract: {}\n", "x".repeat(LINE));
        for (told, wrong) in [
            ("extract: `a` is not there\n", 0),
            ("", 1),
            ("extract: one\nextract: two\n", 2),
            ("extract: `\u{1b}[2J`\n", 1),
            (&long, 1),
            ("extract: internal error (panicked at x.rs:1:1)\n", 1),
        ] {
            assert_eq!(said(told.as_bytes()).len(), wrong, "{told}: {:?}", said(told.as_bytes()));
        }
        assert_eq!(said(b"extract: \xff\n").len(), 1);
    }

    const JOB: Job = Job {
        name: "x",
        program: "x",
        arguments: &[],
        older: &[],
        replaces: "--force",
        outputs: &["o"],
        resumes: true,
    };

    /// Paths and what they hold.
    type Files<'a> = &'a [(&'a str, &'a [u8])];

    fn judged(
        left: Files<'_>,
        (code, signal, told): (Option<i32>, Option<i32>, &str),
        kind: Kind,
    ) -> Result<Outcome, Vec<String>> {
        let tree =
            |files: Files<'_>| files.iter().map(|(path, bytes)| (path.into(), bytes.to_vec())).collect();
        let (right, before, left): (Tree, Tree, Tree) =
            (tree(&[("o", b"new")]), tree(&[("o", b"old")]), tree(left));
        let ending = Ending::made(code, signal, told);
        let scene = Scene { job: &JOB, right: &right, before: &before, left: &left, ending: &ending };
        scene.judge("write", Some(kind), kind.signal())
    }

    #[test]
    #[cfg(unix)]
    fn what_must_hold_holds() {
        let (fails, killed, stopped) = (Kind::Fails(28), Kind::Before(SIGKILL), Kind::Before(15));
        let (fine, refused) = ((Some(0), None, ""), (Some(1), None, "x: no room\n"));
        let (old, new): (Files<'_>, Files<'_>) = (&[("o", b"old")], &[("o", b"new")]);
        let shards: Files<'_> = &[("o", b"old"), (".o.partial/shard-00000.rkyv", b"")];
        let nothing_useful: Files<'_> = &[("o", b"old"), (".o.partial/(empty)", b"")];
        for (left, ended, kind, expected) in [
            (new, fine, fails, Some(Outcome::Tolerated)),
            (old, fine, fails, None),
            (old, refused, fails, Some(Outcome::Refused)),
            (&[], refused, fails, None),
            (&[("o", b"ne")], refused, fails, None),
            (shards, refused, fails, Some(Outcome::Refused)),
            (nothing_useful, refused, fails, None),
            (old, (Some(1), None, ""), fails, None),
            (old, (Some(101), None, "x: no room\n"), fails, None),
            (old, (None, Some(SIGABRT), ""), fails, None),
            (nothing_useful, (None, Some(SIGKILL), ""), killed, Some(Outcome::Killed)),
            (&[], (None, Some(SIGKILL), ""), killed, None),
            (old, (Some(INTERRUPTED), None, "x: stopped\n"), stopped, Some(Outcome::Killed)),
            (old, (Some(1), None, "x: stopped\n"), stopped, None),
            (old, (None, Some(15), ""), stopped, Some(Outcome::Killed)),
            (nothing_useful, (None, Some(15), ""), stopped, None),
            (old, fine, stopped, None),
        ] {
            let judged = judged(left, ended, kind);
            assert_eq!(judged.as_ref().ok(), expected.as_ref(), "{left:?} {ended:?} {kind:?}: {judged:?}");
        }
    }
}
