//! From a tool's result to one line on stderr and an exit code.

use crate::{
    Interrupted,
    line::{message, plain},
    signals::{self, exit_at_once},
};
use clap::error::{ContextValue, ErrorKind};
use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    process::ExitCode,
    sync::OnceLock,
};

/// A wrong call: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// A gate that did not hold, such as the parity of an export: exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct GateError(pub String);

const SUCCESS: u8 = 0;
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const GATE: u8 = 3;
/// As a shell counts a program that SIGINT ended.
pub(crate) const INTERRUPTED: u8 = 130;

static TOOL: OnceLock<String> = OnceLock::new();

/// The name that every line begins with.
pub(crate) fn tool() -> &'static str {
    TOOL.get().map_or("headstart", String::as_str)
}

/// Runs the tool that this program is: hears signals, parses its arguments, runs it, prints one error line, gives the exit
/// code.
///
/// `withdraw` removes what the run has begun to write; it is called where a signal ends the process.
pub fn main<A: clap::Parser>(run: impl FnOnce(A) -> anyhow::Result<()>, withdraw: fn()) -> ExitCode {
    stage(env::args_os(), run, withdraw)
}

/// The same with these arguments, of which the first is the program's name.
pub fn stage<A: clap::Parser>(
    args: impl IntoIterator<Item = OsString>,
    run: impl FnOnce(A) -> anyhow::Result<()>,
    withdraw: fn(),
) -> ExitCode {
    let tool = TOOL.get_or_init(|| A::command().get_name().to_owned());
    panic::set_hook(Box::new(move |info| told_panic(tool, info, withdraw)));
    if let Err(error) = signals::start(tool, withdraw) {
        complain(&format!("{tool}: cannot listen to signals: {error}"));
        return ExitCode::from(FAILED);
    }
    let args = match A::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => return refuse(tool, error),
    };
    let ended = panic::catch_unwind(AssertUnwindSafe(|| run(args)));
    let code = match &ended {
        Ok(Ok(())) => SUCCESS,
        Ok(Err(error)) => code(error),
        Err(_) => FAILED,
    };
    signals::settle(code);
    // A panic was told where it was.
    if let Ok(Err(error)) = &ended {
        complain(&format!("{tool}: {}", line(error)));
    }
    ExitCode::from(code)
}

/// A panic is a fault of ours: it still gets one line, never a backtrace.
fn told_panic(tool: &str, info: &PanicHookInfo<'_>, withdraw: fn()) {
    // The standard library, where a new thread finds no memory for its second stack. It would abort next.
    if info.location().is_some_and(|at| at.file().ends_with("stack_overflow.rs")) {
        complain(&format!("{tool}: cannot start a thread: out of memory"));
        withdraw();
        exit_at_once(FAILED);
    }
    let what = info.to_string().replace('\n', " ");
    // polars, where its pool cannot be had.
    if what.contains("could not spawn threads") {
        complain(&format!("{tool}: cannot start a thread: the system has no more"));
        return;
    }
    complain(&format!("{tool}: internal error ({what}); please report it with the command you ran"));
}

fn refuse(tool: &str, error: clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let printed = error.print().and_then(|()| io::stdout().flush());
        return match printed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                complain(&format!("{tool}: cannot write to stdout: {error}"));
                ExitCode::from(FAILED)
            }
            // Who closes the pipe has read enough.
            _ => ExitCode::SUCCESS,
        };
    }
    let told = one_line(&escaped(error).render().to_string());
    complain(&format!("{tool}: {told}; see `{tool} --help`"));
    ExitCode::from(USAGE)
}

/// One line on stderr, of 500 characters at most. Nobody may be there to read it, which is no reason to lose work:
/// `eprintln!` would panic.
pub fn complain(line: &str) {
    let _ = io::stderr().write_all((message(line) + "\n").as_bytes());
}

/// The same error, in which what the user gave can neither begin a line nor end clap's.
fn escaped(mut error: clap::Error) -> clap::Error {
    let given: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in given {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(plain(&text).into_owned()),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| plain(text).into_owned()).collect())
            }
            ContextValue::StyledStrs(texts) => ContextValue::StyledStrs(
                texts.iter().map(|text| plain(&text.to_string()).into_owned().into()).collect(),
            ),
            _ => continue,
        };
        error.insert(kind, value);
    }
    error
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
    line
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
    fn an_output_that_breaks_off_is_a_failure() {
        let error =
            anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot write `a`");
        assert_eq!(code(&error), FAILED);
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
