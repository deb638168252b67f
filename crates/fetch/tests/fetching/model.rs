//! A model on a hub: the routes that the hub has for it.

use crate::server::{Ask, Reply, Server};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use std::collections::BTreeMap;

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const NAME: &str = "org/net";

/// Files at one commit. Large ones lie on another server.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Where large files are; small as the rest without.
    pub(crate) cdn: Option<String>,
}

impl Model {
    /// One with a configuration and weights of so many bytes.
    pub(crate) fn new(weights: usize) -> Model {
        Model::of(&[
            ("README.md", b"read me"),
            ("config.json", b"{}\n"),
            ("model.safetensors", &noise(weights)),
        ])
    }

    pub(crate) fn of(files: &[(&str, &[u8])]) -> Model {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        Model { files, cdn: None }
    }

    /// The hub, with nothing else on it.
    pub(crate) fn serve(self) -> Server {
        Server::start(move |ask, _| self.answer(ask))
    }

    /// The hub's answer.
    pub(crate) fn answer(&self, ask: &Ask) -> Reply {
        let (path, query) = ask.path.split_once('?').unwrap_or((&ask.path, ""));
        if let Some(revision) = path.strip_prefix(&format!("/api/models/{NAME}/revision/")) {
            return match revision {
                "main" | "v1" | "refs%2Fpr%2F1" | COMMIT => self.list(query == "blobs=true"),
                _ => Reply::new(404).header("X-Error-Code", "RevisionNotFound"),
            };
        }
        match path.strip_prefix(&format!("/{NAME}/resolve/{COMMIT}/")) {
            Some(name) => match self.files.get(name) {
                Some(bytes) => self.file(ask, name, bytes),
                None => Reply::new(404).header("X-Error-Code", "EntryNotFound"),
            },
            None => Reply::new(404).header("X-Error-Code", "RepoNotFound"),
        }
    }

    pub(crate) fn list(&self, sizes: bool) -> Reply {
        let file = |(name, bytes): (&String, &Vec<u8>)| match sizes {
            true => serde_json::json!({"rfilename": name, "size": bytes.len()}),
            false => serde_json::json!({"rfilename": name}),
        };
        let files: Vec<_> = self.files.iter().map(file).collect();
        Reply::new(200).body(serde_json::json!({"id": NAME, "sha": COMMIT, "siblings": files}).to_string())
    }

    fn file(&self, ask: &Ask, name: &str, bytes: &[u8]) -> Reply {
        let large = name.ends_with(".safetensors") || name.ends_with(".bin");
        let reply = match (&self.cdn, large) {
            (Some(cdn), true) => {
                Reply::new(302).header("Location", &format!("{cdn}/{}?Signature=x", sha256(bytes)))
            }
            _ => Reply::file(ask, bytes),
        };
        let reply = reply.header("X-Repo-Commit", COMMIT);
        if large {
            reply
                .header("X-Linked-Size", &bytes.len().to_string())
                .header("X-Linked-Etag", &format!("\"{}\"", sha256(bytes)))
                .header("ETag", "\"of-the-redirect\"")
        } else {
            reply.header("ETag", &format!("W/\"{}\"", git_blob(bytes)))
        }
    }

    /// Where the bytes of a file lie in the cache.
    pub(crate) fn blob(&self, name: &str) -> String {
        let bytes = &self.files[name];
        let large = name.ends_with(".safetensors") || name.ends_with(".bin");
        let digest = if large { sha256(bytes) } else { git_blob(bytes) };
        format!("hub/models--org--net/blobs/{digest}")
    }
}

/// Bytes that are all alike nowhere.
pub(crate) fn noise(n: usize) -> Vec<u8> {
    (0..n as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    digits(digest(&SHA256, bytes).as_ref())
}

pub(crate) fn git_blob(bytes: &[u8]) -> String {
    let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    digits(digest(&SHA1_FOR_LEGACY_USE_ONLY, &blob).as_ref())
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
