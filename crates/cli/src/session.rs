//! What a running tool tells its user, all on stderr.

use crate::line::message;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The bar that is on the screen now, so that lines can be printed above it, and a process that ends can clear it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A running tool's voice.
pub struct Session {
    quiet: bool,
    verbose: bool,
    bars: bool,
}

/// A progress bar: done, total, rate and time left. Cleared when dropped.
pub struct Progress(ProgressBar);

impl Session {
    pub(crate) fn new(quiet: bool, verbose: bool, no_progress: bool) -> Session {
        let bars = !quiet && !no_progress && std::io::stderr().is_terminal();
        Session { quiet, verbose, bars }
    }

    /// Threads in force.
    pub fn threads(&self) -> usize {
        rayon::current_num_threads()
    }

    /// One line, unless `--quiet`.
    pub fn note(&self, line: impl AsRef<str>) {
        if !self.quiet {
            self.say(line.as_ref());
        }
    }

    /// One line with `--verbose` only.
    pub fn detail(&self, line: impl AsRef<str>) {
        if self.verbose {
            self.say(line.as_ref());
        }
    }

    /// A bar over `total` things of which one is a `unit` ("image", "epoch").
    pub fn progress(&self, total: u64, unit: &str) -> Progress {
        let units = unit.strip_suffix('y').map_or_else(|| format!("{unit}s"), |stem| format!("{stem}ies"));
        // One thing is not done by parts: whoever does it says how far it has come.
        let template = match total {
            0 | 1 => "{spinner} {elapsed}  {msg}".to_owned(),
            _ => {
                format!("{{bar:30}} {{human_pos}}/{{human_len}} {units}  {{per_sec}}  {{eta}} left  {{msg}}")
            }
        };
        self.bar(Some(total), 0, &template)
    }

    /// A bar over the bytes of a file, of which `done` are there. Without a total it shows how many have come.
    pub fn bytes(&self, total: Option<u64>, done: u64) -> Progress {
        let template = match total {
            Some(_) => {
                "{bar:30} {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}"
            }
            None => "{spinner} {binary_bytes}  {binary_bytes_per_sec}  {msg}",
        };
        self.bar(total, done, template)
    }

    fn bar(&self, total: Option<u64>, done: u64, template: &str) -> Progress {
        let target = if self.bars { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target);
        // The template is ours and fixed, so the default is never taken.
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        if done > 0 {
            bar.set_position(done);
            // What was there before does not count as fast.
            bar.reset_eta();
        }
        // Without a screen no thread is needed.
        if self.bars {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Progress(bar)
    }

    fn say(&self, line: &str) {
        let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner);
        match bar.as_ref().filter(|bar| !bar.is_finished() && !bar.is_hidden()) {
            Some(bar) => bar.println(message(line)),
            None => crate::exit::complain(line),
        }
    }
}

/// Takes the bar off the screen, for a process that ends.
pub(crate) fn clear() {
    if let Some(bar) = &*BAR.lock().unwrap_or_else(PoisonError::into_inner) {
        bar.finish_and_clear();
    }
}

impl Progress {
    /// Nothing is done any more.
    pub fn restart(&self) {
        self.0.set_position(0);
        self.0.reset_eta();
    }

    /// Says something beside the bar, of what is under way.
    pub fn tell(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }

    /// So many more are done.
    pub fn advance(&self, n: u64) {
        self.0.inc(n);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
