//! One HTTP client: addresses, redirects, who is told a secret, and how long to be patient.
//!
//! It knows neither files nor models, and says nothing to anybody: whoever waits says why.
//!
//! **Invariant:** this crate alone opens sockets. `fetch` and `endpoint` use it, and nobody else.
//! **Invariant:** a secret is told to the one server that it is for. No redirect carries it elsewhere.
#![forbid(unsafe_code)]

mod address;
mod client;
mod error;
mod patience;

pub use address::Address;
pub use client::{Answer, Client, Request, Secret, Settings};
pub use error::HttpError;
pub use patience::Patience;
pub use ureq::http::Method;
