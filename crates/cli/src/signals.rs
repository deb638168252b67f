//! What signals do to a tool; ARCHITECTURE.md has the contract.
//!
//! A thread of its own hears them, so no work of a tool's has to. It ends the process itself, at once or, where the tool
//! stops by itself ([`Interrupt`]), once the tool's time is up.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long outputs may take to reach their places once a signal has come.
const GRACE: Duration = Duration::from_millis(700);

static MANNER: Mutex<Manner> = Mutex::new(Manner::AtOnce);
/// Whether a second signal ends the process before any thread sees it.
static BARE: AtomicBool = AtomicBool::new(false);

/// What the first signal does now.
enum Manner {
    /// It ends the process.
    AtOnce,
    /// It is a request.
    Asks { asked: Arc<AtomicBool>, time: Option<(Duration, LastAct)> },
    /// Outputs are taking their places, or the run ends by itself, since then.
    Finishing(Instant),
    /// Nothing: the run is over.
    Over,
}

/// What is done for a tool whose time is up; gives the line that is said.
type LastAct = Box<dyn FnOnce() -> String + Send>;

/// Whether this run was asked to stop. The default hears nothing: a signal ends the process.
#[derive(Debug, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    listens: bool,
}

/// A run that stopped because it was asked to: exit code 130.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);

impl Interrupt {
    /// While it lives, the first signal is a request that may take any time to heed, and the second ends the process.
    pub fn listen() -> Interrupt {
        Interrupt::begin(None)
    }

    /// As [`Interrupt::listen`], but the run has so much time to end. `last` is then called from another thread, the line
    /// that it gives is said, and the process ends.
    pub fn listen_for(time: Duration, last: impl FnOnce() -> String + Send + 'static) -> Interrupt {
        Interrupt::begin(Some((time, Box::new(last))))
    }

    fn begin(time: Option<(Duration, LastAct)>) -> Interrupt {
        let asked = Arc::new(AtomicBool::new(false));
        *manner() = Manner::Asks { asked: Arc::clone(&asked), time };
        Interrupt { asked, listens: true }
    }

    /// Asks it to stop, as a signal does.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// What is set once it was asked to stop, for those who do not know signals.
    pub fn flag(&self) -> &AtomicBool {
        &self.asked
    }

    /// Whether it was asked to stop.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        let mut manner = manner();
        if self.listens && matches!(*manner, Manner::Asks { .. }) {
            // A run that was asked says so itself.
            let next = if self.asked() { Manner::Finishing(Instant::now()) } else { Manner::AtOnce };
            // What it held may hold outputs, which are dropped as others are: without the lock.
            let held = mem::replace(&mut *manner, next);
            drop(manner);
            drop(held);
        }
    }
}

/// From here on outputs take their places: a signal gives them 0.7 s to do so, so that of several all are there.
pub fn finishing() {
    let held = mem::replace(&mut *manner(), Manner::Finishing(Instant::now()));
    drop(held);
}

/// The run is over, and what is left is to say so: a signal ends the process as it would end by itself. Does not return
/// where one has begun to do so.
pub(crate) fn settle(code: u8) {
    let held = mem::replace(&mut *manner(), Manner::Over);
    end_with(code);
    drop(held);
}

fn manner() -> MutexGuard<'static, Manner> {
    MANNER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process where it stands: no thread is waited for, and none can be disturbed.
pub(crate) fn exit_at_once(code: u8) -> ! {
    signal_hook::low_level::exit(i32::from(code))
}

#[cfg(unix)]
use listener::end_with;
#[cfg(unix)]
pub(crate) use listener::start;

/// Elsewhere the system ends the process; the next run of an output removes what stays.
#[cfg(not(unix))]
pub(crate) fn start(_: &str, _: fn()) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn end_with(_: u8) {}

#[cfg(unix)]
mod listener {
    use super::{BARE, GRACE, Manner, exit_at_once, manner};
    use crate::{
        exit::{INTERRUPTED, complain},
        session::clear,
    };
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
        flag,
        iterator::Signals,
    };
    use std::{
        fs, io, mem,
        sync::{
            MutexGuard, OnceLock,
            atomic::{AtomicBool, Ordering},
            mpsc,
        },
        thread,
        time::{Duration, Instant},
    };

    /// How often is looked whether the run has ended, once a signal has come.
    const POLL: Duration = Duration::from_millis(5);
    /// Longer is not waited for whoever reads stderr.
    const LINE: Duration = Duration::from_millis(200);

    /// Nobody looks at it: it is there so that a file that grows too large is an error of the write, not the end.
    static TOO_LARGE: AtomicBool = AtomicBool::new(false);
    static ALWAYS: AtomicBool = AtomicBool::new(true);
    static HEARD: OnceLock<Vec<i32>> = OnceLock::new();

    /// From here on signals are heard; `withdraw` removes what must not stay of a process that is ended.
    pub(crate) fn start(tool: &'static str, withdraw: fn()) -> io::Result<()> {
        flag::register(SIGXFSZ, &TOO_LARGE)?;
        let mut heard = vec![SIGINT, SIGTERM];
        if !hangups_are_ignored() {
            heard.push(SIGHUP);
        }
        let heard = HEARD.get_or_init(|| heard);
        for &signal in heard {
            // Before the thread's own, so that it comes first.
            flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), &BARE)?;
        }
        let signals = Signals::new(heard)?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || attend(signals, tool, withdraw))?;
        Ok(())
    }

    /// From here on a signal ends the process with this code, whoever does not read its line.
    pub(super) fn end_with(code: u8) {
        for &signal in HEARD.get().into_iter().flatten() {
            // Where it cannot be had, a signal does nothing any more.
            let _ = flag::register_conditional_shutdown(signal, i32::from(code), &ALWAYS);
        }
    }

    /// As nohup leaves it. Where that cannot be told the system's own way of doing stays.
    fn hangups_are_ignored() -> bool {
        let Ok(status) = fs::read_to_string("/proc/self/status") else { return true };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_none_or(|mask| mask & (1 << (SIGHUP - 1)) != 0)
    }

    /// Waits for the first signal, then for the end of the run, of its time, or for a second one.
    fn attend(mut signals: Signals, tool: &str, withdraw: fn()) {
        while signals.wait().next().is_none() {}
        let first = Instant::now();
        loop {
            let again = signals.pending().next().is_some();
            let manner = manner();
            let end = match &*manner {
                Manner::AtOnce => Some(first),
                Manner::Asks { asked, time } => {
                    asked.store(true, Ordering::Relaxed);
                    time.as_ref().map(|(time, _)| first + *time)
                }
                Manner::Finishing(since) => Some(first.max(*since) + GRACE),
                Manner::Over => return,
            };
            if again || end.is_some_and(|end| Instant::now() >= end) {
                finish(manner, again, tool, withdraw);
            }
            drop(manner);
            thread::sleep(POLL);
        }
    }

    /// Ends the process. The lock is kept, so that the run can neither go on to its end nor say anything else.
    fn finish(mut manner: MutexGuard<'static, Manner>, again: bool, tool: &str, withdraw: fn()) -> ! {
        let line = match mem::replace(&mut *manner, Manner::Over) {
            Manner::Asks { time: Some((_, last)), .. } if !again => {
                BARE.store(true, Ordering::SeqCst);
                last()
            }
            _ => "interrupted".to_owned(),
        };
        let line = format!("{tool}: {line}");
        // stderr may be a pipe that is full.
        let (said, hears) = mpsc::channel();
        let say = move || {
            clear();
            complain(&line);
            let _ = said.send(());
        };
        if thread::Builder::new().spawn(say).is_ok() {
            let _ = hears.recv_timeout(LINE);
        }
        withdraw();
        exit_at_once(INTERRUPTED)
    }
}
