//! SIGINT and SIGTERM (Ctrl-C on Windows) as a request to stop, which a tool looks at between two pieces of work.

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Whether this program was asked to stop. The default hears nothing.
#[derive(Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

/// A run that stopped because it was asked to, and that can be resumed: exit code 130.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);

impl Interrupt {
    /// From now on the first signal is a request, and the second ends the program at once, as the first would have done.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn listen() -> io::Result<Interrupt> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: what a second signal does depends on what the first has set.
            flag::register_conditional_default(signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Interrupt(asked))
    }

    /// Asks it to stop, as a signal does.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use signal_hook::low_level::raise;
    use std::{env, os::unix::process::ExitStatusExt, process::Command};

    #[test]
    fn the_first_signal_is_a_request_and_the_second_the_end() {
        const CHILD: &str = "HEADSTART_TEST_CHILD";
        if env::var_os(CHILD).is_none() {
            let name = "interrupt::tests::the_first_signal_is_a_request_and_the_second_the_end";
            let mut child = Command::new(env::current_exe().unwrap());
            let ended = child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output().unwrap();
            let told = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.signal(), Some(SIGINT), "{told}");
            assert!(told.contains("asked: false, asked: true"), "{told}");
            return;
        }
        let interrupt = Interrupt::listen().unwrap();
        let before = interrupt.asked();
        raise(SIGTERM).unwrap();
        eprintln!("asked: {before}, asked: {}", interrupt.asked());
        raise(SIGINT).unwrap();
    }
}
