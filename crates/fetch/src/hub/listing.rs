//! What files a model has, as the hub lists them.

use crate::{
    environment::Hub,
    error::FetchError,
    names::{self, percent_encoded},
    patience::Patience,
    source::HubSource,
};
use cli::Session;
use http::{Answer, Client, HttpError, Method, Request};
use serde::Deserialize;
use std::io::Read;

/// Lists of the largest models take a few MiB.
const LONGEST: u64 = 32 << 20;

/// A model's files at one commit.
#[derive(Debug)]
pub(crate) struct Listing {
    /// 40 hexadecimal digits.
    pub(crate) commit: String,
    /// Their names lead nowhere else.
    pub(crate) files: Vec<Listed>,
}

/// One of the files.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    #[serde(rename = "rfilename")]
    pub(crate) name: String,
    /// In bytes, where the hub says it.
    pub(crate) size: Option<u64>,
}

#[derive(Deserialize)]
struct Told {
    sha: Option<String>,
    siblings: Option<Vec<Listed>>,
}

impl Listing {
    /// Asks the hub.
    ///
    /// # Errors
    /// Where it cannot be reached, refuses, or lists what no model has.
    pub(crate) fn ask(
        client: &Client,
        session: &Session,
        hub: &Hub,
        source: &HubSource,
    ) -> Result<Listing, FetchError> {
        let revision = percent_encoded(&source.revision, false);
        let address =
            hub.endpoint.with(&format!("/api/models/{}/revision/{revision}?blobs=true", source.model));
        let mut patience = Patience::new(session);
        let answer = loop {
            let request = Request { method: Method::GET, address: &address, from: 0, version: None };
            match client.send(&request) {
                Ok(answer) => match answer.busy() {
                    Some(busy) => patience.wait(busy.into())?,
                    None => break answer,
                },
                // A network that is not there is not there in a second either.
                Err(error @ HttpError::Unreachable { .. }) => return Err(error.into()),
                Err(error) => patience.wait(error.into())?,
            }
        };
        if answer.status() != 200 {
            return Err(refusal(&answer, client, hub, source, None));
        }
        let host = answer.address.host().to_owned();
        let no_hub = |why| FetchError::NoHub { host: host.clone(), why };
        let mut bytes = Vec::new();
        let read = answer.into_reader().take(LONGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| HttpError::Broken { host: host.clone(), why: error.to_string() })?;
        if bytes.len() as u64 > LONGEST {
            return Err(no_hub("its list of files is too long"));
        }
        let told: Told =
            serde_json::from_slice(&bytes).map_err(|_| no_hub("its list of files is no list"))?;
        let commit = told.sha.filter(|sha| is_commit(sha)).ok_or_else(|| no_hub("it names no commit"))?;
        let files = told.siblings.ok_or_else(|| no_hub("it lists no files"))?;
        if let Some(file) = files.iter().find(|file| !names::is_within(&file.name)) {
            return Err(FetchError::Name { model: source.shown(), name: file.name.clone() });
        }
        Ok(Listing { commit, files })
    }
}

/// Whether a revision is a commit in full.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What an answer means that is no list, or no file.
pub(crate) fn refusal(
    answer: &Answer,
    client: &Client,
    hub: &Hub,
    source: &HubSource,
    file: Option<&str>,
) -> FetchError {
    let (host, name) = (hub.endpoint.host().to_owned(), source.model.clone());
    let (model, page) = (source.shown(), hub.endpoint.with(&format!("/{}", source.model)).shown());
    match (answer.status(), answer.header("x-error-code"), file) {
        (status @ (401 | 403), ..) if client.has_secret() => {
            FetchError::DeniedWithToken { model, page, status }
        }
        (status @ (401 | 403), ..) => FetchError::Denied { model, page, status },
        (404, Some("RepoNotFound"), _) => FetchError::NoModel { host, name },
        (404, Some("EntryNotFound"), Some(file)) => FetchError::NoFile { model, file: file.to_owned() },
        (404, Some("RevisionNotFound"), _) => {
            FetchError::NoRevision { host, name, revision: source.revision.clone() }
        }
        (404, _, Some(file)) => FetchError::NoFile { model, file: file.to_owned() },
        (404, _, None) if source.revision == "main" => FetchError::NoModel { host, name },
        (404, _, None) => FetchError::NoRevision { host, name, revision: source.revision.clone() },
        (status, ..) => FetchError::Status { address: answer.address.shown(), status },
    }
}
