//! What can stop a request.

use std::time::Duration;

/// A request without an answer, or with one that is none.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection at all.
    #[error("cannot reach {host}: {why}; check the network, and HTTPS_PROXY behind a proxy")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// A connection without an answer, or with a part of one.
    #[error("{host} does not answer: {why}")]
    Broken {
        /// Who was asked.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// Nobody vouches for the server.
    #[error("cannot trust {host}: {why}; a firm's own certificates go into SSL_CERT_FILE")]
    Tls {
        /// Who was asked.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// Nobody could.
    #[error(
        "this system has no certificates of trusted authorities; install ca-certificates, or set SSL_CERT_FILE"
    )]
    NoRoots,
    /// An address that HTTP does not know.
    #[error("`{0}` is no address of a file")]
    Address(String),
    /// A redirect that is not followed.
    #[error("{from} sends elsewhere, which is not followed: {why}")]
    Redirect {
        /// Who sends elsewhere.
        from: String,
        /// Why it is not followed.
        why: &'static str,
    },
    /// Too many requests, or a fault of the server's.
    #[error("{host} cannot serve now ({status}){}", asked(.wait.as_ref()))]
    Busy {
        /// Who was asked.
        host: String,
        /// What it answered.
        status: u16,
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
}

impl HttpError {
    /// Whether another try may come to more.
    pub fn may_pass(&self) -> bool {
        matches!(self, HttpError::Busy { .. } | HttpError::Broken { .. } | HttpError::Unreachable { .. })
    }

    /// How long the server asks to wait.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            HttpError::Busy { wait, .. } => *wait,
            _ => None,
        }
    }
}

fn asked(wait: Option<&Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!("; it asks to wait {} s", wait.as_secs()))
}
