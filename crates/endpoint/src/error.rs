//! What can stop a run that asks.

use http::HttpError;
use std::{io, path::PathBuf, time::Duration};

/// A question without an answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address is none.
    #[error("--base-url `{0}`: {1}")]
    Address(String, &'static str),
    /// A key that everybody between here and there could read.
    #[error(
        "{host} is asked by http, which shows the key of {variable} to everybody in between; give an https:// address, or unset {variable}"
    )]
    Open {
        /// Who would be asked.
        host: String,
        /// Where the key is from.
        variable: String,
    },
    /// A key that no header holds.
    #[error("{0} holds no key: a key is one word of letters, digits and signs")]
    NoKey(String),
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It wants a key, or another one.
    #[error("{host} refuses ({status}): {said}; {} {variable}", advice(*.has_key))]
    Denied {
        /// Who was asked.
        host: String,
        /// What it answers.
        status: u16,
        /// What it says.
        said: String,
        /// Where keys are from.
        variable: String,
        /// Whether there was one.
        has_key: bool,
    },
    /// Too many requests, or a fault of the server's.
    #[error("{host} cannot serve now ({status}): {said}{}", asked(.wait.as_ref()))]
    Busy {
        /// Who was asked.
        host: String,
        /// What it answers.
        status: u16,
        /// What it says.
        said: String,
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
    /// Any other answer that holds nothing.
    #[error("{address} refuses ({status}): {said}")]
    Refused {
        /// Who was asked.
        address: String,
        /// What it answers.
        status: u16,
        /// What it says.
        said: String,
    },
    /// An answer that cannot be one.
    #[error("{host} does not answer as /v1/embeddings does: {reason}")]
    Answer {
        /// Who was asked.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// Rows that are wider, or narrower.
    #[error("{model} answers with {got} numbers for a text, expected {expected}")]
    Width {
        /// The model.
        model: String,
        /// Numbers of what was answered before, or asked for.
        expected: usize,
        /// Numbers of this answer.
        got: usize,
    },
    /// A model that is another by now.
    #[error(
        "{model} answers four made-up sentences otherwise than before ({apart:.1e} apart, at most {most:.0e}): the model has changed; its old answers are `{path}`, move them away to begin anew"
    )]
    Changed {
        /// The model.
        model: String,
        /// How far apart the answers are.
        apart: f64,
        /// How far apart they may be.
        most: f64,
        /// The old answers.
        path: PathBuf,
    },
    /// Answers cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A thread cannot be had.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl EndpointError {
    /// Whether other flags would mend it.
    pub fn is_usage(&self) -> bool {
        matches!(self, EndpointError::Address(..) | EndpointError::Open { .. } | EndpointError::NoKey(_))
    }
}

/// A file of answers that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk refused.
    #[error("cannot keep answers in `{path}`: {source}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{path}` holds no answers of {model} that this program reads; move it away")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The model.
        model: String,
    },
}

fn asked(wait: Option<&Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!("; it asks to wait {} s", wait.as_secs()))
}

fn advice(has_key: bool) -> &'static str {
    if has_key { "check the key in" } else { "put a key into" }
}
