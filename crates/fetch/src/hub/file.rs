//! One file of a model: what the hub says of it, its bytes, and its name in the snapshot.

use super::{
    cache::Cache,
    listing::{Listing, refusal},
};
use crate::{
    digest::Digest, download::Download, environment::Hub, error::FetchError, names::percent_encoded,
    patience::Patience, source::HubSource,
};
use cli::Session;
use http::{Answer, Client, Method, Request};

/// What all files of a model share.
pub(crate) struct Job<'a> {
    pub(crate) client: &'a Client,
    pub(crate) session: &'a Session,
    pub(crate) hub: &'a Hub,
    pub(crate) source: &'a HubSource,
    pub(crate) cache: &'a Cache,
    pub(crate) listing: &'a Listing,
}

impl Job<'_> {
    /// Bytes that were downloaded for it; 0 where they were there already.
    ///
    /// # Errors
    /// Where the file cannot be had or kept.
    pub(crate) fn fetch(&self, name: &str) -> Result<u64, FetchError> {
        let commit = &self.listing.commit;
        if self.cache.file(commit, name).is_file() {
            return Ok(0);
        }
        let path = format!("/{}/resolve/{commit}/{}", self.source.model, percent_encoded(name, true));
        let address = self.hub.endpoint.with(&path);
        let refusal = |answer: &Answer| refusal(answer, self.client, self.hub, self.source, Some(name));
        let mut patience = Patience::new(self.session);
        let answer = loop {
            let request = Request { method: Method::HEAD, address: &address, from: 0, version: None };
            match self.client.send(&request) {
                Ok(answer) => match answer.busy() {
                    Some(busy) => patience.wait(busy.into())?,
                    None => break answer,
                },
                Err(error) => patience.wait(error.into())?,
            }
        };
        let no_hub = |why| FetchError::NoHub { host: answer.address.host().to_owned(), why };
        if answer.status() >= 400 {
            return Err(refusal(&answer));
        }
        if answer.header("x-repo-commit").is_some_and(|of| of != commit) {
            return Err(no_hub("it answers with another commit"));
        }
        let linked = answer.header("x-linked-etag");
        let etag = linked.or_else(|| answer.header("etag")).map(plain_etag);
        let etag = etag.ok_or_else(|| no_hub("it gives a file no digest"))?;
        let target = self.cache.blob(etag).ok_or_else(|| no_hub("it gives a file no digest"))?;
        let digest = Digest::of_etag(etag);
        let size = answer.number("x-linked-size").or_else(|| {
            // A redirect's own length is no file's.
            (answer.status() == 200).then(|| answer.number("content-length")).flatten()
        });
        if digest.is_none() {
            self.session.note(format!(
                "fetch: {} states no digest of `{name}`, so none is checked",
                self.source.shown()
            ));
        }
        let download = Download {
            name,
            address: &address,
            size,
            digest: digest.as_ref(),
            target: &target,
            lock: Some(&self.cache.lock(etag)),
            refusal: &refusal,
        };
        let came = download.run(self.client, self.session)?;
        self.cache.link(commit, name, etag)?;
        Ok(came.unwrap_or(0))
    }
}

/// `W/"digits"` and `"digits"` without what is around the digits.
fn plain_etag(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}
