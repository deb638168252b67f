//! From a tool's result to one line on stderr and an exit code.

use crate::Interrupted;
use clap::error::ErrorKind;
use std::{
    io::{self, Write},
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

/// A wrong call: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// A gate that did not hold, such as the parity of an export: exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct GateError(pub String);

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const GATE: u8 = 3;
/// As a shell counts a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// Runs a tool: parses its arguments, runs it, prints one error line, gives the exit code.
pub fn main<A: clap::Parser>(run: impl FnOnce(A) -> anyhow::Result<()>) -> ExitCode {
    let tool = A::command().get_name().to_owned();
    let args = match A::try_parse() {
        Ok(args) => args,
        Err(error) => return refuse(&tool, &error),
    };
    let name = tool.clone();
    // A panic is a fault of ours: it still gets one line, never a backtrace.
    panic::set_hook(Box::new(move |info| {
        let what = info.to_string().replace('\n', " ");
        complain(&format!("{name}: internal error ({what}); please report it with the command you ran"));
    }));
    match panic::catch_unwind(AssertUnwindSafe(|| run(args))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            complain(&format!("{tool}: {}", line(&error)));
            ExitCode::from(code(&error))
        }
        Err(_) => ExitCode::from(FAILED),
    }
}

fn refuse(tool: &str, error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // The only way to fail here is a closed pipe.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    complain(&format!("{tool}: {}; see `{tool} --help`", one_line(&error.render().to_string())));
    ExitCode::from(USAGE)
}

/// One line on stderr. Nobody may be there to read it, which is no reason to lose work: `eprintln!` would panic.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// clap's paragraphs, up to its usage, as one line.
fn one_line(rendered: &str) -> String {
    let told = rendered.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let told: Vec<_> =
        told.filter(|line| !line.is_empty() && !line.starts_with("For more information")).collect();
    told.join(" ").replace(" tip: ", "; ").trim_start_matches("error: ").to_owned()
}

/// The chain of causes, each told once.
fn line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.replace('\n', " ")
}

fn code(error: &anyhow::Error) -> u8 {
    if error.chain().any(<dyn std::error::Error>::is::<UsageError>) {
        USAGE
    } else if error.chain().any(<dyn std::error::Error>::is::<GateError>) {
        GATE
    } else if error.chain().any(<dyn std::error::Error>::is::<Interrupted>) {
        INTERRUPTED
    } else {
        FAILED
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn errors_become_one_line_and_a_code() {
        let wrapped = anyhow::Error::new(GateError("differs by 3".into())).context("cannot export `m.onnx`");
        assert_eq!((line(&wrapped).as_str(), code(&wrapped)), ("cannot export `m.onnx`: differs by 3", GATE));
        let told_twice = anyhow!("disk full").context("cannot write `a`: disk full");
        assert_eq!((line(&told_twice).as_str(), code(&told_twice)), ("cannot write `a`: disk full", FAILED));
        assert_eq!(code(&UsageError(String::new()).into()), USAGE);
        assert_eq!(code(&Interrupted(String::new()).into()), INTERRUPTED);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot print");
        assert!(is_broken_pipe(&error) && !is_broken_pipe(&anyhow!("other")));
    }

    #[test]
    fn claps_paragraphs_become_one_line() {
        let rendered = "error: unexpected argument '--tpa' found\n\n  tip: a similar argument exists: '--tap'\n\nUsage: extract\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(rendered),
            "unexpected argument '--tpa' found; a similar argument exists: '--tap'"
        );
    }
}
