//! One request and its redirects.

use super::Address;
use crate::{environment::Hub, error::FetchError};
use std::{io, time::Duration};
use ureq::{
    Agent, Body,
    http::{Method, Request as HttpRequest, Response, header},
    tls::{Certificate, RootCerts, TlsConfig},
};

const REDIRECTS: usize = 10;
/// A server that says nothing for so long is taken for gone.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(20);

/// Whoever asks servers.
pub(crate) struct Client {
    agent: Agent,
    /// The hub's address, and what it alone is told.
    token: Option<(Address, String)>,
    has_roots: bool,
}

/// What to ask.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) address: &'a Address,
    /// The first byte that is wanted.
    pub(crate) from: u64,
    /// The version that those bytes must belong to, where nothing else says so.
    pub(crate) version: Option<&'a str>,
}

/// What came back.
pub(crate) struct Answer {
    /// Who gave it, after redirects.
    pub(crate) address: Address,
    response: Response<Body>,
}

impl Client {
    /// # Errors
    /// Where `HTTPS_PROXY` or its like is no address.
    pub(crate) fn new(hub: &Hub) -> Result<Client, FetchError> {
        // A second call finds the first one's, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<_> = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let has_roots = !roots.is_empty();
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept("*/*")
            // Sizes and digests are those of the files themselves.
            .accept_encoding("identity")
            .user_agent(concat!("headstart/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .build()
            .new_agent();
        let token = hub.token.clone().map(|token| (hub.endpoint.clone(), token));
        Ok(Client { agent, token, has_roots })
    }

    /// Whether the hub is told a token.
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Sends a request and follows redirects. That of a HEAD which states the digest of a file elsewhere is the answer.
    ///
    /// # Errors
    /// Where no answer comes, or a redirect leads nowhere, or to where others can read and change what is sent.
    pub(crate) fn send(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        let mut address = request.address.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.once(request, address)?;
            let Some(location) = answer.location() else { return Ok(answer) };
            let from = &answer.address;
            let to = from.join(location).map_err(|why| FetchError::Redirect { from: from.shown(), why })?;
            if request.method == Method::HEAD && !to.is_at(from) && answer.header("x-linked-etag").is_some() {
                return Ok(answer);
            }
            if from.is_secure() && !to.is_secure() {
                return Err(FetchError::Redirect { from: from.shown(), why: "it leads from https to http" });
            }
            address = to;
        }
        Err(FetchError::Redirect { from: request.address.shown(), why: "there are more than ten in a row" })
    }

    fn once(&self, request: &Request<'_>, address: Address) -> Result<Answer, FetchError> {
        if address.is_secure() && !self.has_roots {
            return Err(FetchError::NoRoots);
        }
        let mut built = HttpRequest::builder().method(&request.method).uri(address.text());
        if let Some((hub, token)) = &self.token
            && hub.is_at(&address)
        {
            built = built.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if request.from > 0 {
            built = built.header(header::RANGE, format!("bytes={}-", request.from));
            if let Some(version) = request.version {
                built = built.header(header::IF_RANGE, version);
            }
        }
        let sent = built.body(()).map_err(ureq::Error::Http).and_then(|built| self.agent.run(built));
        match sent {
            Ok(response) => Ok(Answer { address, response }),
            Err(error) => Err(unreachable(&address, &error)),
        }
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header, where it is there once and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// A header that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    fn location(&self) -> Option<&str> {
        matches!(self.status(), 301 | 302 | 303 | 307 | 308).then(|| self.header("location")).flatten()
    }

    /// The bytes that follow.
    pub(crate) fn into_reader(self) -> impl io::Read {
        self.response.into_body().into_reader()
    }
}

/// An error of the network, by what can be done about it.
fn unreachable(address: &Address, error: &ureq::Error) -> FetchError {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, InvalidData, NetworkDown, NetworkUnreachable};
    let host = address.host().to_owned();
    match error {
        ureq::Error::HostNotFound => FetchError::Unreachable { host, why: "no such host".to_owned() },
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            FetchError::Unreachable { host, why: "it does not answer in time".to_owned() }
        }
        ureq::Error::Io(error) => match error.kind() {
            // How rustls tells of a handshake that failed.
            InvalidData => FetchError::Tls { host, why: error.to_string() },
            ConnectionRefused | HostUnreachable | NetworkDown | NetworkUnreachable => {
                FetchError::Unreachable { host, why: error.kind().to_string() }
            }
            // The standard library has no kind for it.
            _ if error.to_string().contains("lookup address") => {
                FetchError::Unreachable { host, why: "no such host".to_owned() }
            }
            _ => FetchError::Broken { host, why: error.to_string() },
        },
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) | ureq::Error::Pem(_) => {
            FetchError::Tls { host, why: error.to_string() }
        }
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => FetchError::Address(address.shown()),
        _ => FetchError::Broken { host, why: error.to_string() },
    }
}
