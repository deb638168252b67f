//! What is done to a running program.

use std::{fmt, str::FromStr};

/// The N-th call of a function, and what happens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As `fault.c` calls it.
    pub function: String,
    /// From 1.
    pub nth: u64,
    /// What happens.
    pub kind: Kind,
}

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It fails with an errno.
    Fails(i32),
    /// It reads or writes half.
    Short,
    /// The process gets a signal before it.
    Before(i32),
    /// The process gets a signal after it.
    After(i32),
}

/// The signal that nobody can catch.
pub(crate) const SIGKILL: i32 = 9;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

const EPERM: Kind = Kind::Fails(1);
const EINTR: Kind = Kind::Fails(4);
const EIO: Kind = Kind::Fails(5);
const EAGAIN: Kind = Kind::Fails(11);
const ENOMEM: Kind = Kind::Fails(12);
const EACCES: Kind = Kind::Fails(13);
const EMFILE: Kind = Kind::Fails(24);
const ENOSPC: Kind = Kind::Fails(28);
const EPIPE: Kind = Kind::Fails(32);
const ENOLCK: Kind = Kind::Fails(37);
const KILLS: [Kind; 2] = [Kind::Before(SIGKILL), Kind::After(SIGKILL)];
const STOPS: [Kind; 2] = [Kind::Before(SIGINT), Kind::Before(SIGTERM)];

/// Every function, how it may fail, and whether kills and signals come there as well.
pub const FAULTS: &[(&str, &[Kind], bool)] = &[
    ("open", &[EMFILE, EIO, ENOSPC, EACCES], true),
    ("opendir", &[EMFILE, EIO, EACCES], false),
    ("read", &[EIO, EINTR, Kind::Short], true),
    ("write", &[ENOSPC, EIO, EINTR, EPIPE, Kind::Short], true),
    ("print", &[ENOSPC, EPIPE, EINTR, Kind::Short], true),
    ("sync", &[EIO, ENOSPC], true),
    ("rename", &[EIO, ENOSPC], true),
    ("link", &[EIO, EPERM], true),
    ("truncate", &[ENOSPC, EIO], true),
    ("map", &[ENOMEM, EIO], true),
    ("memory", &[ENOMEM], false),
    ("close", &[EIO], true),
    ("mkdir", &[EIO, ENOSPC], true),
    ("remove", &[EIO, EPERM], true),
    ("lock", &[EIO, ENOLCK], true),
    ("stat", &[EIO, EACCES], true),
    ("readdir", &[EIO], true),
    ("thread", &[EAGAIN], false),
];

impl Fault {
    /// Every function with every way in which it fails here.
    pub(crate) fn ways() -> impl Iterator<Item = (&'static str, Kind)> {
        FAULTS.iter().flat_map(|(function, kinds, signals)| {
            let signals = if *signals { [KILLS, STOPS].concat() } else { Vec::new() };
            kinds.iter().copied().chain(signals).map(|kind| (*function, kind))
        })
    }
}

impl Kind {
    /// The signal that comes.
    pub(crate) fn signal(self) -> Option<i32> {
        match self {
            Kind::Before(signal) | Kind::After(signal) => Some(signal),
            Kind::Fails(_) | Kind::Short => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { function, nth, kind } = self;
        match kind {
            Kind::Fails(errno) => write!(f, "{function}:{nth}:{errno}"),
            Kind::Short => write!(f, "{function}:{nth}:short"),
            Kind::Before(signal) => write!(f, "{function}:{nth}:before:{signal}"),
            Kind::After(signal) => write!(f, "{function}:{nth}:after:{signal}"),
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let wrong =
            || format!("`{text}` is not FUNCTION:N:ERRNO, …:short, …:before:SIGNAL or …:after:SIGNAL");
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or_else(wrong);
        let (function, nth, kind) = (next()?.to_owned(), next()?, next()?);
        let signal = parts.next();
        let number = |text: &str| text.parse().map_err(|_| wrong());
        let kind = match (kind, signal) {
            ("short", None) => Kind::Short,
            ("before", Some(signal)) => Kind::Before(number(signal)?),
            ("after", Some(signal)) => Kind::After(number(signal)?),
            (errno, None) => Kind::Fails(number(errno)?),
            _ => return Err(wrong()),
        };
        if !FAULTS.iter().any(|(known, ..)| *known == function) {
            return Err(wrong());
        }
        Ok(Fault { function, nth: nth.parse().map_err(|_| wrong())?, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_text() {
        for text in ["write:3:28", "read:1:short", "rename:2:before:9", "link:1:after:15"] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        for text in ["", "write", "write:3", "write:x:28", "frob:1:28", "write:1:before", "write:1:28:9"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
