//! Weights of torchvision's networks, in torch's own cache.

use crate::{config::Config, digest::Digest, download::Download, error::FetchError, web};
use cli::Session;
use http::Client;
use published::TORCHVISION;
use std::path::PathBuf;

/// Where torchvision's files are.
pub(crate) const HOST: &str = "https://download.pytorch.org";
/// The first weights of each network: the preprocessing of our zoo is theirs.
const FIRST: &str = "IMAGENET1K_V1";
const SECOND: &str = "IMAGENET1K_V2";

/// One file of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weights {
    network: &'static str,
    version: &'static str,
    file: &'static str,
}

/// The weights of `NAME` or `NAME@VERSION`.
///
/// # Errors
/// What is wrong, with the nearest name.
pub(crate) fn find(text: &str) -> Result<Weights, String> {
    let (name, version) = text.split_once('@').unwrap_or((text, FIRST));
    let Some((network, first, second)) = TORCHVISION.iter().find(|(network, ..)| *network == name) else {
        let near = TORCHVISION.iter().map(|(network, ..)| (strsim::jaro_winkler(network, name), *network));
        let near = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.8);
        let near = near.map_or_else(String::new, |(_, near)| format!("; did you mean `{near}`?"));
        return Err(format!("torchvision has no weights of a network `{name}`{near}"));
    };
    match (version, second) {
        (FIRST, _) => Ok(Weights { network, version: FIRST, file: first }),
        (SECOND, Some(file)) => Ok(Weights { network, version: SECOND, file }),
        (_, Some(_)) => Err(format!("weights of `{network}` are {FIRST} and {SECOND}")),
        (_, None) => Err(format!("weights of `{network}` are {FIRST} only")),
    }
}

/// The file's place, once it is there.
///
/// # Errors
/// Where it cannot be had.
pub(crate) fn fetch(
    config: &Config,
    client: Option<&Client>,
    session: &Session,
    weights: &Weights,
) -> Result<PathBuf, FetchError> {
    let cache = &config.caches().torch;
    let target = cache.join(weights.file);
    let Some(client) = client else {
        return if target.exists() {
            Ok(target)
        } else {
            let source_name = weights.shown();
            let why = format!("it has no `{}`", weights.file);
            Err(FetchError::Offline { source_name, cache: cache.clone(), why })
        };
    };
    let download = Download {
        name: weights.file,
        address: &config.caches().torchvision.with(&format!("/models/{}", weights.file)),
        size: None,
        digest: Some(&Digest::Sha256(weights.digits().to_owned())),
        target: &target,
        lock: None,
        refusal: &web::refusal,
    };
    download.run(client, session)?;
    Ok(target)
}

impl Weights {
    /// The first digits of the file's SHA-256, which stand in its name.
    fn digits(&self) -> &'static str {
        let stem = self.file.strip_suffix(".pth").unwrap_or(self.file);
        stem.rsplit('-').next().unwrap_or_default()
    }

    fn shown(&self) -> String {
        match self.version {
            FIRST => format!("torchvision://{}", self.network),
            version => format!("torchvision://{}@{version}", self.network),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    #[test]
    fn every_file_says_its_digest() {
        for (network, first, second) in TORCHVISION {
            for file in [Some(*first), *second].into_iter().flatten() {
                let weights = Weights { network, version: FIRST, file };
                let digits = weights.digits();
                assert!((8..=10).contains(&digits.len()), "{file}");
                assert!(digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{file}");
                assert!(names::is_plain(file) && file.ends_with(".pth"), "{file}");
            }
        }
    }

    #[test]
    fn names_are_found_or_their_neighbours() {
        let file = |text| find(text).map(|found| found.file);
        assert_eq!(file("resnet50"), Ok("resnet50-0676ba61.pth"));
        assert_eq!(file("resnet50@IMAGENET1K_V2"), Ok("resnet50-11ad3fa6.pth"));
        assert_eq!(
            find("resnet50@IMAGENET1K_V2").map(|weights| weights.shown()).as_deref(),
            Ok("torchvision://resnet50@IMAGENET1K_V2")
        );
        for (text, part) in [
            ("resnet5", "did you mean `resnet50`?"),
            ("vgg16@IMAGENET1K_V2", "IMAGENET1K_V1 only"),
            ("resnet50@V2", "IMAGENET1K_V1 and IMAGENET1K_V2"),
            ("", "no weights of a network ``"),
        ] {
            assert!(find(text).is_err_and(|why| why.contains(part)), "{text}");
        }
    }
}
