//! Whether features are of the kind that a head was fitted on.

use crate::Head;
use features::{FeatureSet, Features, PROBES_TOLERANCE, Source, probes_apart};
use std::path::Path;

/// Features that a head does not take.
#[derive(Debug, thiserror::Error)]
pub enum Stranger {
    /// Something of them is otherwise.
    #[error(transparent)]
    Differs(#[from] Box<Difference>),
    /// Some of those that the head takes are not given.
    #[error(
        "head `{head}` takes features of {all}; those of {lacks} are not among `{features}`: give them too, extracted with the same weights and preprocessing"
    )]
    Lacks {
        /// The head's file.
        head: String,
        /// The folders of features.
        features: String,
        /// All that the head takes.
        all: String,
        /// What is not given.
        lacks: String,
    },
}

/// In what features are others than those that a head was fitted on.
#[derive(Debug, thiserror::Error)]
#[error(
    "head `{head}` does not belong to `{features}`: {what} differs, expected {expected}, got {got}; {advice}"
)]
pub struct Difference {
    /// The head's file.
    pub head: String,
    /// The folders of features.
    pub features: String,
    /// What differs.
    pub what: &'static str,
    /// The head's.
    pub expected: String,
    /// The features'.
    pub got: String,
    /// What to do.
    pub advice: String,
}

/// Of the features given, those that the head takes, in its order. `path` is the head's.
///
/// # Errors
/// One that names the first difference.
pub fn choose(given: &FeatureSet, head: &Head, path: &Path) -> Result<FeatureSet, Stranger> {
    let mut chosen = Vec::new();
    for source in &head.sources {
        let is_it = |part: &Features| source.difference(&part.index().source).is_none();
        // Each at most once: one source may be there twice, in two precisions.
        let found = given.parts().enumerate().find(|(at, part)| is_it(part) && !chosen.contains(at));
        chosen.push(found.ok_or_else(|| stranger(given, head, source, path))?.0);
    }
    let features = given.of(&chosen);
    if features.dim() == head.dim() {
        return match changed(&features, head) {
            Some(apart) => Err(answers_otherwise(&features, path, apart).into()),
            None => Ok(features),
        };
    }
    let (expected, got) = (head.dim().to_string(), features.dim().to_string());
    Err(differs(&features, path, "width", expected, got).into())
}

/// How far the probes of the features lie from the head's, where that says that an endpoint's model is another by now.
fn changed(features: &FeatureSet, head: &Head) -> Option<f64> {
    let (width, mut start) = (head.dim(), 0);
    for (part, source) in features.parts().zip(&head.sources) {
        let columns = start..start + part.dim();
        start = columns.end;
        if source.endpoint().is_none() || head.probes.is_empty() {
            continue;
        }
        let rows = head.probes.chunks(width).flat_map(|row| &row[columns.clone()]);
        let apart = probes_apart(&rows.copied().collect::<Vec<_>>(), &part.probes());
        if apart > PROBES_TOLERANCE {
            return Some(apart);
        }
    }
    None
}

fn answers_otherwise(features: &FeatureSet, path: &Path, apart: f64) -> Box<Difference> {
    let (expected, got) = (format!("at most {PROBES_TOLERANCE} apart"), format!("{apart:.1e}"));
    let what = "what the model answers to four made-up sentences";
    let advice = "the endpoint's model has changed: extract both anew".to_owned();
    Box::new(Difference { advice, ..*differs(features, path, what, expected, got) })
}

/// None of the features given come from `source`.
fn stranger(given: &FeatureSet, head: &Head, source: &Source, path: &Path) -> Stranger {
    let first = given.parts().next().and_then(|part| source.difference(&part.index().source));
    match first {
        Some(found) if given.parts().len() == 1 && head.sources.len() == 1 => {
            let (expected, got) = (format!("`{}`", found.expected), format!("`{}`", found.got));
            let mut differs = differs(given, path, found.what, expected, got);
            if let (Source::Given(rows), "name of its rows") = (source, found.what) {
                differs.advice = format!("if they mean the same, give extract --name {}", rows.rows);
            }
            differs.into()
        }
        _ => Stranger::Lacks {
            head: path.display().to_string(),
            features: given.names(),
            all: head.sources.iter().map(Source::name).collect::<Vec<_>>().join(" and "),
            lacks: source.name(),
        },
    }
}

fn differs(
    features: &FeatureSet,
    path: &Path,
    what: &'static str,
    expected: String,
    got: String,
) -> Box<Difference> {
    Box::new(Difference {
        head: path.display().to_string(),
        features: features.names(),
        what,
        expected,
        got,
        advice: "rerun extract as for the head's features, or fit-head on these".to_owned(),
    })
}
