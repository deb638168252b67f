//! Requests: addresses, redirects, who gets the token, and how long to be patient.

mod address;
mod client;
mod patience;

pub(crate) use address::Address;
pub(crate) use client::{Answer, Client, Request};
pub(crate) use patience::{Patience, busy};
