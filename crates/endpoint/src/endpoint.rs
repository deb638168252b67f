//! One question and its answer.

use crate::{
    EndpointError, Model,
    reply::{Reply, Unusable},
    secrecy,
};
use http::{Address, Answer, Client, HttpError, Secret};
use serde::Serialize;
use std::{io::Read, time::Duration};

/// Longer than any key.
const LONGEST_KEY: usize = 4096;
/// 2,048 rows of 4,096 numbers, as JSON.
const LONGEST_ANSWER: u64 = 512 << 20;
/// Of what a server says where it refuses.
const LONGEST_REFUSAL: u64 = 64 << 10;

/// What a server is told, so that it knows who pays.
///
/// **Invariant:** nothing prints the word.
#[derive(Clone)]
pub struct Key {
    /// The variable of the environment that it is from, or would be from.
    pub variable: String,
    /// Nothing where that is not set.
    pub word: Option<String>,
}

/// Who is asked for what.
pub struct Settings<'a> {
    /// Such as `https://api.openai.com/v1`.
    pub base: &'a str,
    /// The model.
    pub model: Model,
    /// The key.
    pub key: Key,
    /// A request and its answer may take so long.
    pub timeout: Duration,
}

/// A server with a model, which gives rows for texts.
pub struct Endpoint {
    client: Client,
    address: Address,
    model: Model,
    key: Key,
}

/// Why there is no answer.
pub(crate) enum Failure {
    /// Another try may come to more, after so long a time.
    Passing(EndpointError, Option<Duration>),
    /// What was asked is refused: one of the texts may be at fault.
    Refused(EndpointError),
    /// Trying again is no use.
    Final(EndpointError),
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

impl Endpoint {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// Where the address is none, the key is none, or the key would go through the open.
    pub fn new(settings: Settings<'_>) -> Result<Endpoint, EndpointError> {
        let Settings { base, model, key, timeout } = settings;
        let wrong = |why| EndpointError::Address(hidden(base), why);
        if base.contains(['?', '#']) {
            return Err(wrong("an address without ? and # is expected"));
        }
        let address = Address::parse(base.trim_end_matches('/')).map_err(wrong)?.with("/embeddings");
        if let Some(word) = &key.word {
            if !word.bytes().all(|byte| byte.is_ascii_graphic())
                || word.len() > LONGEST_KEY
                || word.is_empty()
            {
                return Err(EndpointError::NoKey(key.variable));
            }
            if !address.is_secure() && !address.is_local() {
                let host = address.host().to_owned();
                return Err(EndpointError::Open { host, variable: key.variable });
            }
        }
        let secret = key.word.clone().map(|word| Secret { server: address.clone(), word });
        // This machine is asked without a proxy, which would hear the key.
        let settings = http::Settings { silence: timeout, whole: Some(timeout), proxy: !address.is_local() };
        Ok(Endpoint { client: Client::new(secret, settings), address, model, key })
    }

    /// The model that it is asked for.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Who is asked, as people may see it.
    pub fn host(&self) -> &str {
        self.address.host()
    }

    /// Asks for the rows of some texts, once.
    pub(crate) fn ask(&self, texts: &[&str]) -> Result<Reply, Failure> {
        let Model { name, dimensions } = &self.model;
        let question =
            Question { model: name, input: texts, encoding_format: "float", dimensions: *dimensions };
        let question = serde_json::to_vec(&question).expect("plain data serialises");
        let answer = self.client.post(&self.address, &question).map_err(|error| match error.may_pass() {
            true => Failure::Passing(error.into(), None),
            false => Failure::Final(error.into()),
        })?;
        if answer.status() != 200 {
            return Err(self.refusal(answer));
        }
        let body = self.body(answer, LONGEST_ANSWER)?;
        let reply = Reply::read(&body, texts.len()).map_err(|why| match why {
            Unusable::Cut => self.broken("its answer ends too early".to_owned()),
            Unusable::Wrong(reason) => Failure::Final(self.wrong(reason)),
        })?;
        let got = reply.rows.first().map_or(0, Vec::len);
        match self.model.dimensions {
            Some(expected) if got != expected => {
                Err(Failure::Final(EndpointError::Width { model: name.clone(), expected, got }))
            }
            _ => Ok(reply),
        }
    }

    fn body(&self, answer: Answer, most: u64) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        let read = answer.into_reader().take(most + 1).read_to_end(&mut body);
        read.map_err(|error| self.broken(format!("its answer broke off ({error})")))?;
        match body.len() as u64 > most {
            true => Err(Failure::Final(self.wrong(format!("its answer is longer than {most} bytes")))),
            false => Ok(body),
        }
    }

    /// What an answer means that holds no rows.
    fn refusal(&self, answer: Answer) -> Failure {
        let (status, host) = (answer.status(), self.address.host().to_owned());
        let wait = answer.number("retry-after").map(Duration::from_secs);
        let mut body = Vec::new();
        // What cannot be read says nothing.
        let _ = answer.into_reader().take(LONGEST_REFUSAL).read_to_end(&mut body);
        let said = secrecy::said(&body, self.key.word.as_deref());
        let (variable, has_key) = (self.key.variable.clone(), self.key.word.is_some());
        let refused = |said| EndpointError::Refused { address: self.address.shown(), status, said };
        match status {
            401 | 403 => Failure::Final(EndpointError::Denied { host, status, said, variable, has_key }),
            // OpenAI's word for an account without money: waiting does not help.
            429 if body.windows(18).any(|part| part == b"insufficient_quota") => {
                Failure::Final(refused(said))
            }
            408 | 429 | 500.. => Failure::Passing(EndpointError::Busy { host, status, said, wait }, wait),
            400 | 413 | 422 => Failure::Refused(refused(said)),
            _ => Failure::Final(refused(said)),
        }
    }

    fn broken(&self, why: String) -> Failure {
        let host = self.address.host().to_owned();
        Failure::Passing(HttpError::Broken { host, why }.into(), None)
    }

    fn wrong(&self, reason: String) -> EndpointError {
        EndpointError::Answer { host: self.address.host().to_owned(), reason }
    }
}

/// An address as it was given, without a password that it may hold.
fn hidden(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &address[..scheme], &address[at..]),
        (None, Some(at)) => format!("…{}", &address[at..]),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(base: &str, key: Option<&str>) -> Result<String, String> {
        let model = Model { name: "m".to_owned(), dimensions: None };
        let key = Key { variable: "KEY".to_owned(), word: key.map(str::to_owned) };
        let settings = Settings { base, model, key, timeout: Duration::from_secs(1) };
        Endpoint::new(settings).map(|it| it.address.shown()).map_err(|error| {
            assert!(error.is_usage());
            error.to_string()
        })
    }

    #[test]
    fn keys_go_where_nobody_reads_them() {
        for (base, key, expected) in [
            ("https://api.openai.com/v1/", Some("sk-1"), Ok("https://api.openai.com/v1/embeddings")),
            ("http://127.0.0.1:8080/v1", Some("sk-1"), Ok("http://127.0.0.1:8080/v1/embeddings")),
            ("http://box.lan:8080/v1", None, Ok("http://box.lan:8080/v1/embeddings")),
            ("http://box.lan:8080/v1", Some("sk-1"), Err("everybody in between")),
            ("http://127.0.0.1.org/v1", Some("sk-1"), Err("everybody in between")),
            ("https://a/v1", Some("sk 1"), Err("KEY holds no key")),
            ("https://a/v1", Some(""), Err("KEY holds no key")),
            ("https://me:word@a/v1", None, Err("https://…@a/v1`: an address with a name or a password")),
            ("me:word@a/v1", None, Err("`…@a/v1`")),
            ("https://a/v1?key=x", None, Err("an address without ? and #")),
            ("ftp://a", None, Err("an address begins with https://")),
        ] {
            match (told(base, key), expected) {
                (Ok(got), Ok(expected)) => assert_eq!(got, expected),
                (Err(got), Err(expected)) => {
                    assert!(got.contains(expected) && !got.contains("sk-1") && !got.contains("me:"), "{got}");
                }
                (got, _) => panic!("{base}: {got:?}"),
            }
        }
    }
}
