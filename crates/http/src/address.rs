//! Addresses of http and https, as far as a download needs them.

/// An address without a user, a password or a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    secure: bool,
    /// Host and port, in small letters.
    authority: String,
    /// Path and query; empty, or with a slash in front.
    rest: String,
}

impl Address {
    /// # Errors
    /// What is wrong, as a fragment of a sentence.
    pub fn parse(text: &str) -> Result<Address, &'static str> {
        let (secure, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return Err("an address begins with https://"),
        };
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("an address has no spaces, and %XX for what is not ASCII");
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains('@') {
            return Err("an address with a name or a password is not taken");
        }
        if authority.is_empty() || authority.starts_with(':') || authority.contains('\\') {
            return Err("the address names no host");
        }
        let mut kept = String::with_capacity(rest.len() + 1);
        if rest.starts_with('?') {
            kept.push('/');
        }
        for c in rest.chars() {
            // As browsers do; the hub's own redirects have such quotes.
            if matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}') {
                kept += &format!("%{:02X}", u32::from(c));
            } else {
                kept.push(c);
            }
        }
        Ok(Address { secure, authority: authority.to_ascii_lowercase(), rest: kept })
    }

    /// Where a redirect of this address leads.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn join(&self, location: &str) -> Result<Address, &'static str> {
        let scheme = if self.secure { "https" } else { "http" };
        let authority = &self.authority;
        let path = self.rest.split('?').next().unwrap_or_default();
        let colon = location
            .find("://")
            .filter(|at| location[..*at].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let folder = || path.rfind('/').map_or("/", |at| &path[..=at]);
        match location {
            _ if colon.is_some() => Address::parse(location),
            _ if location.starts_with("//") => Address::parse(&format!("{scheme}:{location}")),
            _ if location.starts_with('/') => Address::parse(&format!("{scheme}://{authority}{location}")),
            _ if location.starts_with('?') => {
                Address::parse(&format!("{scheme}://{authority}{path}{location}"))
            }
            _ => Address::parse(&format!("{scheme}://{authority}{}{location}", folder())),
        }
    }

    /// The address with so much more path.
    pub fn with(&self, more: &str) -> Address {
        Address { rest: format!("{}{more}", self.rest), ..self.clone() }
    }

    /// In full, as a request has it.
    pub fn text(&self) -> String {
        format!("{}{}", self.origin(), self.rest)
    }

    /// As people may see it: queries hold signatures.
    pub fn shown(&self) -> String {
        format!("{}{}", self.origin(), self.path())
    }

    /// The path, without a query.
    pub fn path(&self) -> &str {
        self.rest.split('?').next().unwrap_or_default()
    }

    /// Host and port.
    pub fn host(&self) -> &str {
        &self.authority
    }

    /// Whether both are one server, whom the same secrets may be told.
    pub fn is_at(&self, other: &Address) -> bool {
        self.secure == other.secure && self.server() == other.server()
    }

    /// Whether nobody between here and there reads or changes what is sent.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is this machine itself.
    pub fn is_local(&self) -> bool {
        matches!(self.server().0, "localhost" | "127.0.0.1" | "[::1]")
    }

    fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }

    fn server(&self) -> (&str, &str) {
        let usual = if self.secure { "443" } else { "80" };
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, if port.is_empty() { usual } else { port }),
            _ => (&self.authority, usual),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn redirects_lead_where_browsers_would_go() {
        let from = address("https://Hub.co/a/b?x=1");
        for (location, expected) in [
            ("/c/d?y", "https://hub.co/c/d?y"),
            ("c", "https://hub.co/a/c"),
            ("?z", "https://hub.co/a/b?z"),
            ("/c?etag=\"d\"", "https://hub.co/c?etag=%22d%22"),
            ("//cdn.co/f", "https://cdn.co/f"),
            ("http://cdn.co", "http://cdn.co"),
            ("HTTPS://cdn.co?q#frag", "https://cdn.co/?q"),
            ("/c?next=https://x.co/", "https://hub.co/c?next=https://x.co/"),
        ] {
            assert_eq!(from.join(location).map(|to| to.text()), Ok(expected.to_owned()), "{location}");
        }
        for location in
            ["ftp://cdn.co/f", "file:///etc/passwd", "https://", "https://a b", "https://u:p@cdn.co/"]
        {
            assert!(from.join(location).is_err(), "{location}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_server_sends_is_an_address_or_none(location in "[ -~]{0,40}|(https?:)?[/@:?#%\\[\\]a-c.]{0,20}|.{0,20}") {
            if let Ok(to) = address("https://hub.co/a/b").join(&location) {
                proptest::prop_assert_eq!(Address::parse(&to.text()), Ok(to.clone()));
                proptest::prop_assert!(!to.host().is_empty() && !to.host().contains(['@', '/', '\\', '?', '#']));
                proptest::prop_assert!(to.path().is_empty() || to.path().starts_with('/'));
            }
        }
    }

    #[test]
    fn a_server_is_scheme_host_and_port() {
        let hub = address("https://hub.co/a");
        for (other, same) in [
            ("https://hub.co:443/b", true),
            ("https://hub.co.evil.org", false),
            ("http://hub.co", false),
            ("https://hub.co:444", false),
            ("https://cdn.hub.co", false),
        ] {
            assert_eq!(hub.is_at(&address(other)), same, "{other}");
        }
        assert!(address("http://[::1]:80/x").is_at(&address("http://[::1]/x")));
        assert!(address("http://127.0.0.1:9/x").is_local() && !address("http://127.0.0.1.org/").is_local());
    }

    #[test]
    fn signatures_are_not_shown() {
        assert_eq!(address("https://cdn.co/f?Signature=secret").shown(), "https://cdn.co/f");
    }
}
