//! What is to be downloaded, as it is named on the command line.

use crate::{names, torchvision};
use cli::UsageError;
use http::Address;

/// One source.
#[derive(Debug)]
pub(crate) enum Source {
    Hub(HubSource),
    Torchvision(torchvision::Weights),
    Web(WebSource),
}

/// A model of the hub.
#[derive(Debug)]
pub(crate) struct HubSource {
    /// `ORG/NAME`; the oldest models have no organisation.
    pub(crate) model: String,
    /// A branch, a tag or a commit.
    pub(crate) revision: String,
}

/// A file anywhere.
#[derive(Debug)]
pub(crate) struct WebSource {
    pub(crate) address: Address,
    /// SHA-256 in 64 small digits.
    pub(crate) sha256: Option<String>,
}

impl Source {
    /// # Errors
    /// [`UsageError`] where the text names nothing that could be downloaded.
    pub(crate) fn parse(text: &str) -> Result<Source, UsageError> {
        let wrong = |why: &str| UsageError(format!("`{text}`: {why}"));
        match text.split_once("://") {
            Some(("hf", rest)) => HubSource::parse(rest).map(Source::Hub).map_err(wrong),
            Some(("torchvision", rest)) => {
                torchvision::find(rest).map(Source::Torchvision).map_err(|why| wrong(&why))
            }
            Some(("https" | "http", _)) => WebSource::parse(text).map(Source::Web).map_err(wrong),
            _ => Err(wrong("a source is hf://ORG/NAME, torchvision://NAME or https://HOST/FILE")),
        }
    }
}

impl HubSource {
    fn parse(text: &str) -> Result<HubSource, &'static str> {
        let (model, revision) = text.split_once('@').unwrap_or((text, "main"));
        let parts: Vec<&str> = model.split('/').collect();
        if parts.len() > 2 {
            return Err("a model is hf://ORG/NAME; choose files of it by `headstart fetch --include`");
        }
        if !parts.iter().all(|part| is_repository(part)) || model.ends_with(".git") {
            return Err("a model is hf://ORG/NAME, of letters, digits, `-`, `_` and `.`");
        }
        if !names::is_within(revision) {
            return Err("a revision is a branch, a tag or a commit, such as hf://ORG/NAME@main");
        }
        Ok(HubSource { model: model.to_owned(), revision: revision.to_owned() })
    }

    /// As on the command line.
    pub(crate) fn shown(&self) -> String {
        match self.revision.as_str() {
            "main" => format!("hf://{}", self.model),
            revision => format!("hf://{}@{revision}", self.model),
        }
    }
}

/// The hub's rules of names. Two dashes part the names of a cache's folders.
fn is_repository(part: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    part.len() <= 96
        && part.chars().all(inner)
        && outer(part.chars().next())
        && outer(part.chars().next_back())
        && !part.contains("--")
        && !part.contains("..")
}

impl WebSource {
    fn parse(text: &str) -> Result<WebSource, &'static str> {
        let (plain, fragment) = match text.split_once('#') {
            Some((plain, fragment)) => (plain, Some(fragment)),
            None => (text, None),
        };
        let address = Address::parse(plain)?;
        let sha256 = fragment.map(|fragment| {
            let digits = fragment.strip_prefix("sha256=").unwrap_or_default().to_ascii_lowercase();
            let right = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            right.then_some(digits).ok_or("after `#` comes sha256= and 64 hexadecimal digits")
        });
        let sha256 = sha256.transpose()?;
        if !address.is_secure() && sha256.is_none() && !address.is_local() {
            return Err(
                "http:// needs #sha256=HEX, since anybody in between could change the file; or use https://",
            );
        }
        Ok(WebSource { address, sha256 })
    }

    /// What the file is called: the end of its path.
    pub(crate) fn name(&self) -> &str {
        let name = self.address.path().rsplit('/').next().unwrap_or_default();
        if names::is_plain(name) { name } else { self.address.host() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_as_on_the_hub() {
        for (text, model, revision) in [
            ("hf://timm/resnet50.a1_in1k", "timm/resnet50.a1_in1k", "main"),
            ("hf://gpt2", "gpt2", "main"),
            ("hf://a/b@refs/pr/1", "a/b", "refs/pr/1"),
            ("hf://a/b@v1.0", "a/b", "v1.0"),
        ] {
            let Ok(Source::Hub(source)) = Source::parse(text) else { panic!("{text}") };
            assert_eq!((source.model.as_str(), source.revision.as_str()), (model, revision));
        }
        for text in [
            "hf://",
            "hf:///b",
            "hf://a/",
            "hf://a/b/c",
            "hf://../b",
            "hf://a/..",
            "hf://a--b/c",
            "hf://a/b.git",
            "hf://-a/b",
            "hf://a/b@",
            "hf://a/b@../x",
            "hf://a/b@/x",
            "hf://a/b@x\\y",
            "hf://a b/c",
            "ftp://a/b",
            "a/b",
            "",
        ] {
            assert!(Source::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_come_with_a_digest_or_from_who_they_say() {
        let hex = "A".repeat(64);
        for text in [
            "https://host/f.pth",
            &format!("https://host/f?x=1#sha256={hex}"),
            &format!("http://host/f#sha256={hex}"),
            "http://127.0.0.1:80/f",
        ] {
            assert!(Source::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://host/f",
            "https://host/f#",
            "https://host/f#sha256=ab",
            "https://user:word@host/f",
            "https://",
        ] {
            assert!(Source::parse(text).is_err(), "{text}");
        }
    }
}
