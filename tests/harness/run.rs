//! A finished run, and what is expected of it.

use std::{path::Path, process::Output};

/// A finished run of a program.
pub struct Run {
    tool: String,
    output: Output,
}

impl Run {
    pub(crate) fn new(program: &Path, output: Output) -> Run {
        Run { tool: program.file_stem().unwrap().to_str().unwrap().to_owned(), output }
    }

    /// What it printed.
    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    /// What it told its user.
    pub fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    /// The last line that it told its user.
    pub fn last_line(&self) -> String {
        self.stderr().lines().last().unwrap_or_default().to_owned()
    }

    /// Its exit code.
    ///
    /// # Panics
    /// Where a signal ended it, or the harness did, because it took minutes.
    pub fn code(&self) -> i32 {
        let code = self.output.status.code();
        code.unwrap_or_else(|| panic!("{} was ended: {}; {}", self.tool, self.output.status, self.stderr()))
    }

    /// The run, which must have succeeded.
    ///
    /// # Panics
    /// Where it has not.
    #[track_caller]
    pub fn fine(self) -> Run {
        assert_eq!(self.code(), 0, "{}", self.stderr());
        self
    }

    /// It failed with `code`, nothing on stdout, and one line that begins with its name and holds every one of `parts`.
    ///
    /// # Panics
    /// Where it has not.
    #[track_caller]
    pub fn failed(&self, code: i32, parts: &[&str]) {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        assert_eq!(self.code(), code, "{stderr}");
        assert_eq!(stdout, "");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with(&format!("{}: ", self.tool)), "{stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("internal error"), "{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "no `{part}` in: {stderr}");
        }
    }
}
