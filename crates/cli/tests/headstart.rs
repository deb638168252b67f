//! `headstart STAGE` runs its sibling, passes its exit code on, and says what is wrong in one line.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

fn headstart(setup: impl FnOnce(&std::path::Path), args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("headstart");
    fs::copy(env!("CARGO_BIN_EXE_headstart"), &program).unwrap();
    setup(folder.path());
    Command::new(program).args(args).output().unwrap()
}

#[test]
fn a_stage_is_run_with_its_arguments_and_its_exit_code() {
    let stage = |folder: &std::path::Path| {
        let path = folder.join("evaluate");
        fs::write(&path, "#!/bin/sh\necho \"$@\"\nexit 3\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let output = headstart(stage, &["evaluate", "a b", "--split", "test"]);
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
