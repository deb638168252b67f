//! One run of a program with the library of faults before it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What takes longer hangs: an undisturbed run takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// A brake for what would otherwise take the machine's memory; the limit that is judged is lower.
const MEMORY: u64 = 3 << 30;

/// How a program is disturbed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    pub(crate) fault: Option<String>,
    /// A signal, and when it comes.
    pub(crate) timer: Option<(i32, Duration)>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// `None` for a run that hung.
    status: Option<ExitStatus>,
    pub(crate) stderr: Vec<u8>,
    /// The path at which the fault fired; empty for what has none.
    pub(crate) fired: Option<String>,
    pub(crate) calls: BTreeMap<String, u64>,
    /// The most memory that was resident, in MiB; 0 for a run that was ended by a signal.
    pub(crate) peak: u64,
    pub(crate) took: Duration,
}

impl Ending {
    pub(crate) fn hung(&self) -> bool {
        self.status.is_none()
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        #[cfg(unix)]
        return self.status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
        #[cfg(not(unix))]
        None
    }

    /// One that a test makes up: by a code, or else by a signal.
    #[cfg(all(test, unix))]
    pub(crate) fn made(code: Option<i32>, signal: Option<i32>, told: &str) -> Ending {
        let raw = code.map_or(signal.unwrap_or(0), |code| code << 8);
        let status = Some(std::os::unix::process::ExitStatusExt::from_raw(raw));
        let (stderr, calls, took) = (told.as_bytes().to_vec(), BTreeMap::new(), Duration::ZERO);
        Ending { status, stderr, fired: None, calls, peak: 0, took }
    }

    /// What was said, as a test shows it.
    pub(crate) fn told(&self) -> String {
        let told = String::from_utf8_lossy(&self.stderr);
        let shown: String = told.trim().chars().take(300).collect();
        shown.escape_debug().to_string()
    }

    pub(crate) fn how(&self) -> String {
        self.status.map_or("hung".to_owned(), |status| status.to_string())
    }
}

/// Whether library calls can be made to fail on this system.
pub fn works_here() -> bool {
    cfg!(preload)
}

/// Runs a program in `folder`; what is noted of it lies in `notes`.
pub(crate) fn run(
    program: &Path,
    arguments: &[&str],
    folder: &Path,
    notes: &Path,
    setting: &Setting,
) -> Ending {
    let log = notes.join("log");
    let _ = fs::remove_file(&log);
    let errors = notes.join("stderr");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(File::create(notes.join("stdout")).unwrap())
        .stderr(File::create(&errors).unwrap());
    if let Some(library) = option_env!("FAULT_LIBRARY") {
        command.env("LD_PRELOAD", library).env("CHAOS_LOG", &log).env("CHAOS_DATA", MEMORY.to_string());
    }
    if let Some(fault) = &setting.fault {
        command.env("CHAOS_FAULT", fault);
    }
    if let Some((signal, after)) = setting.timer {
        command.env("CHAOS_TIMER", format!("{signal}:{}", after.as_micros()));
    }
    let start = Instant::now();
    let mut child = command.spawn().unwrap();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if start.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => thread::sleep(Duration::from_micros(500)),
        }
    };
    let took = start.elapsed();
    let mut ending = Ending {
        status,
        stderr: fs::read(errors).unwrap(),
        fired: None,
        calls: BTreeMap::new(),
        peak: 0,
        took,
    };
    let log = fs::read(log).unwrap_or_default();
    for line in String::from_utf8_lossy(&log).lines() {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words[..] {
            ["fired", _, path] => ending.fired = Some(path.to_owned()),
            ["calls", function, count] => {
                ending.calls.insert(function.to_owned(), count.parse().unwrap());
            }
            ["peak", kib] => ending.peak = kib.parse::<u64>().unwrap() >> 10,
            _ => {}
        }
    }
    ending
}
