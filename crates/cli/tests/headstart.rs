//! `headstart STAGE` runs its sibling, passes its exit code on, and says what is wrong in one line.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    os::unix::fs::symlink,
    process::{Command, Output},
};

/// Runs a `headstart` that has just the siblings which `setup` lays beside it.
///
/// Nothing is written that is then executed: a process that another test forks meanwhile would hold the written file
/// open, and Linux refuses to execute such a file ("text file busy").
fn headstart(setup: impl FnOnce(&std::path::Path), args: &[&str]) -> Output {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = folder.path().join("headstart");
    fs::hard_link(env!("CARGO_BIN_EXE_headstart"), &program).unwrap();
    setup(folder.path());
    Command::new(program).args(args).output().unwrap()
}

#[test]
fn a_stage_is_run_with_its_arguments_and_its_exit_code() {
    let output = headstart(
        |folder| symlink("/bin/sh", folder.join("evaluate")).unwrap(),
        &["evaluate", "-c", "echo \"$@\"; exit 3", "sh", "a b", "--split", "test"],
    );
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"a b --split test\n");
}

#[test]
fn what_cannot_be_run_is_one_line() {
    for (args, code, expected) in [
        (&["extarct"][..], 2, "unknown stage `extarct`; known are extract, fit-head"),
        (&["export"], 1, "install the stages beside headstart"),
    ] {
        let output = headstart(|_| {}, args);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(text.contains(expected) && text.lines().count() == 1, "{text}");
    }
    let help = headstart(|_| {}, &[]);
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("fit-head"));
}
