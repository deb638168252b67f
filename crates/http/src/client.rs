//! One request and its redirects.

use super::Address;
use crate::HttpError;
use std::{io, time::Duration};
use ureq::{
    Agent, Body,
    http::{Method, Request as HttpRequest, Response, header, request::Builder},
    tls::{Certificate, RootCerts, TlsConfig},
};

const REDIRECTS: usize = 10;
/// A server that says nothing for so long is taken for gone.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(20);

/// Whoever asks servers.
pub struct Client {
    agent: Agent,
    secret: Option<Secret>,
    has_roots: bool,
}

/// What one server alone is told.
///
/// **Invariant:** nothing prints it.
#[derive(Clone)]
pub struct Secret {
    /// Whom it is for.
    pub server: Address,
    /// The word after `Bearer`.
    pub word: String,
}

/// How servers are asked.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// A server that says nothing for so long is taken for gone.
    pub silence: Duration,
    /// A request and its answer may take so long.
    pub whole: Option<Duration>,
    /// Whether the proxy of the environment stands between here and there.
    pub proxy: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { silence: SILENCE, whole: None, proxy: true }
    }
}

/// What to ask.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// GET or HEAD.
    pub method: Method,
    /// Of whom.
    pub address: &'a Address,
    /// The first byte that is wanted.
    pub from: u64,
    /// The version that those bytes must belong to, where nothing else says so.
    pub version: Option<&'a str>,
}

/// What came back.
pub struct Answer {
    /// Who gave it, after redirects.
    pub address: Address,
    response: Response<Body>,
}

impl Client {
    /// `secret`: what one server is told.
    pub fn new(secret: Option<Secret>, settings: Settings) -> Client {
        let Settings { silence, whole, proxy } = settings;
        // A second call finds the first one's, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<_> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let has_roots = !roots.is_empty();
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept("*/*")
            // Sizes and digests are those of the files themselves.
            .accept_encoding("identity")
            .user_agent(concat!("headstart/", env!("CARGO_PKG_VERSION")))
            .timeout_global(whole)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(silence))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence));
        if !proxy {
            config = config.proxy(None);
        }
        Client { agent: config.build().new_agent(), secret, has_roots }
    }

    /// Whether somebody is told a secret.
    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Sends a request and follows redirects. That of a HEAD which states the digest of a file elsewhere is the answer.
    ///
    /// # Errors
    /// Where no answer comes, or a redirect leads nowhere, or to where others can read and change what is sent.
    pub fn send(&self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let mut address = request.address.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.once(request, address)?;
            let Some(location) = answer.location() else { return Ok(answer) };
            let from = &answer.address;
            let to = from.join(location).map_err(|why| HttpError::Redirect { from: from.shown(), why })?;
            if request.method == Method::HEAD && !to.is_at(from) && answer.header("x-linked-etag").is_some() {
                return Ok(answer);
            }
            if from.is_secure() && !to.is_secure() {
                return Err(HttpError::Redirect { from: from.shown(), why: "it leads from https to http" });
            }
            address = to;
        }
        Err(HttpError::Redirect { from: request.address.shown(), why: "there are more than ten in a row" })
    }

    fn once(&self, request: &Request<'_>, address: Address) -> Result<Answer, HttpError> {
        let mut built = self.begun(&request.method, &address)?;
        if request.from > 0 {
            built = built.header(header::RANGE, format!("bytes={}-", request.from));
            if let Some(version) = request.version {
                built = built.header(header::IF_RANGE, version);
            }
        }
        let sent = built.body(()).map_err(ureq::Error::Http).and_then(|built| self.agent.run(built));
        answered(address, sent)
    }

    /// Posts JSON. No redirect is followed: what is sent is for this address.
    ///
    /// # Errors
    /// Where no answer comes, or it is a redirect.
    pub fn post(&self, address: &Address, json: &[u8]) -> Result<Answer, HttpError> {
        let built = self.begun(&Method::POST, address)?.header(header::CONTENT_TYPE, "application/json");
        let sent = built.body(json).map_err(ureq::Error::Http).and_then(|built| self.agent.run(built));
        let answer = answered(address.clone(), sent)?;
        match answer.location() {
            None => Ok(answer),
            Some(_) => Err(HttpError::Redirect {
                from: address.shown(),
                why: "what is sent is for the address that was given; give the one that is meant",
            }),
        }
    }

    /// A request that tells the secret to whom it is for.
    fn begun(&self, method: &Method, address: &Address) -> Result<Builder, HttpError> {
        if address.is_secure() && !self.has_roots {
            return Err(HttpError::NoRoots);
        }
        let mut built = HttpRequest::builder().method(method).uri(address.text());
        if let Some(Secret { server, word }) = &self.secret
            && server.is_at(address)
        {
            built = built.header(header::AUTHORIZATION, format!("Bearer {word}"));
        }
        Ok(built)
    }
}

impl Answer {
    /// Such as 200.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Of an answer that says so: another try may come to more.
    pub fn busy(&self) -> Option<HttpError> {
        let status = self.status();
        matches!(status, 408 | 429 | 500 | 502 | 503 | 504).then(|| HttpError::Busy {
            host: self.address.host().to_owned(),
            status,
            wait: self.number("retry-after").map(Duration::from_secs),
        })
    }

    /// A header, where it is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// A header that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    fn location(&self) -> Option<&str> {
        matches!(self.status(), 301 | 302 | 303 | 307 | 308).then(|| self.header("location")).flatten()
    }

    /// The bytes that follow.
    pub fn into_reader(self) -> impl io::Read {
        self.response.into_body().into_reader()
    }
}

fn answered(address: Address, sent: Result<Response<Body>, ureq::Error>) -> Result<Answer, HttpError> {
    match sent {
        Ok(response) => Ok(Answer { address, response }),
        Err(error) => Err(unreachable(&address, &error)),
    }
}

/// An error of the network, by what can be done about it.
fn unreachable(address: &Address, error: &ureq::Error) -> HttpError {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, InvalidData, NetworkDown, NetworkUnreachable};
    let host = address.host().to_owned();
    match error {
        ureq::Error::HostNotFound => HttpError::Unreachable { host, why: "no such host".to_owned() },
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            HttpError::Unreachable { host, why: "it does not answer in time".to_owned() }
        }
        ureq::Error::Io(error) => match error.kind() {
            // How rustls tells of a handshake that failed.
            InvalidData => HttpError::Tls { host, why: error.to_string() },
            ConnectionRefused | HostUnreachable | NetworkDown | NetworkUnreachable => {
                HttpError::Unreachable { host, why: error.kind().to_string() }
            }
            // The standard library has no kind for it.
            _ if error.to_string().contains("lookup address") => {
                HttpError::Unreachable { host, why: "no such host".to_owned() }
            }
            _ => HttpError::Broken { host, why: error.to_string() },
        },
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => {
            HttpError::Tls { host, why: error.to_string() }
        }
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => HttpError::Address(address.shown()),
        _ => HttpError::Broken { host, why: error.to_string() },
    }
}
