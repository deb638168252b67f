//! All that others ask of a kind of content. A new kind is a variant; the compiler then lists the arms that it owes.

use crate::{
    Inputs, Noticed, Views,
    image::{self, BadImage, Preprocessing, PreprocessingError},
    text::{BadText, Token, Tokenisation},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use store::Digest;

/// How content becomes a network's input, as data: it is part of every artefact and of every content key.
///
/// **Invariant:** its JSON is that of what it holds, without a tag. So pictures keep the fingerprints that they had before
/// there were kinds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Recipe {
    /// Of pictures.
    Image(Preprocessing),
    /// Of texts.
    Text(Tokenisation),
}

/// A file that has no features, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadInput {
    /// It is no picture, or none that is decoded.
    #[error(transparent)]
    Image(#[from] BadImage),
    /// It is no text, or none that is read.
    #[error(transparent)]
    Text(#[from] BadText),
}

impl Recipe {
    /// Whether a network can be fed by it.
    ///
    /// # Errors
    /// Where inputs would vary in size, or numbers make no sense.
    pub fn check(&self) -> Result<(), PreprocessingError> {
        match self {
            Recipe::Image(how) => how.check(),
            Recipe::Text(how) => how.check(),
        }
    }

    /// Identifies it: two that differ in anything differ here.
    pub fn fingerprint(&self) -> Digest {
        Digest::of_json(self)
    }

    /// What a sample is called.
    pub fn noun(&self) -> &'static str {
        match self {
            Recipe::Image(_) => "image",
            Recipe::Text(_) => "text",
        }
    }

    /// Height and width of prepared pictures; `None` where they vary, and of anything else.
    pub fn picture_size(&self) -> Option<(u32, u32)> {
        match self {
            Recipe::Image(how) => how.output_size(),
            Recipe::Text(_) => None,
        }
    }

    /// Bytes of a prepared sample, at most.
    ///
    /// # Panics
    /// Where it was not checked.
    pub fn most_bytes(&self) -> usize {
        match self {
            Recipe::Image(how) => {
                let (height, width) =
                    how.output_size().expect("preprocessing that was checked has one size for all");
                height as usize * width as usize * 3
            }
            Recipe::Text(how) => how.most_tokens() * size_of::<Token>(),
        }
    }

    /// The four probes, prepared.
    ///
    /// # Panics
    /// Of texts, where no tokenizer is at hand.
    pub fn probes(&self) -> Inputs {
        match self {
            Recipe::Image(how) => image::probes(how),
            Recipe::Text(how) => how.probes(),
        }
    }

    /// The bytes of a file, whose digest is `content` → the views of it that are wanted, each prepared, and what was
    /// noticed. Without `views` there is only view 0.
    ///
    /// # Errors
    /// Where the file cannot be decoded.
    pub fn load(
        &self,
        file: &[u8],
        content: &Digest,
        views: Option<&Views>,
        wanted: &[u32],
    ) -> Result<(Vec<Vec<u8>>, Noticed), BadInput> {
        match (self, views, wanted) {
            (_, _, []) => Ok(Default::default()),
            (Recipe::Image(how), Some(views), _) => Ok(image::load_views(file, content, how, views, wanted)?),
            (Recipe::Image(how), None, _) => {
                let image::Loaded { pixels, noticed } = image::load(file, how)?;
                Ok((vec![pixels], noticed))
            }
            (Recipe::Text(how), ..) => {
                let (tokens, noticed) = how.load(file)?;
                Ok((vec![tokens], noticed))
            }
        }
    }

    /// How a file is decoded, where that has changed since the first version: it is part of content keys.
    pub fn decoder(&self, file: &[u8]) -> &'static str {
        match self {
            Recipe::Image(_) => image::decoder(file),
            Recipe::Text(_) => "",
        }
    }

    /// Names how augmented views are made, in content keys: changes whenever their bytes do.
    pub fn augmentations(&self) -> &'static str {
        match self {
            Recipe::Image(_) => image::AUGMENTATIONS,
            Recipe::Text(_) => "",
        }
    }

    /// A small picture of a file, as a JPEG whose shorter side has at most `side` pixels.
    ///
    /// # Errors
    /// Where the file cannot be decoded.
    pub fn thumbnail(&self, file: &[u8], side: u32) -> Result<Vec<u8>, BadInput> {
        match self {
            Recipe::Image(how) => Ok(image::thumbnail(file, side, how.grey16)?),
            Recipe::Text(_) => Err(BadText::NoPicture.into()),
        }
    }

    /// A sketch of a file's content, (d,) of length one. The product of two tells whether they are one content.
    ///
    /// # Errors
    /// Where the file cannot be decoded.
    pub fn sketch(&self, file: &[u8]) -> Result<Vec<f32>, BadInput> {
        match self {
            Recipe::Image(how) => Ok(image::sketch(file, how.grey16)?),
            Recipe::Text(_) => Err(BadText::NoPicture.into()),
        }
    }
}

impl<'de> Deserialize<'de> for Recipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Recipe, D::Error> {
        let said = Value::deserialize(deserializer)?;
        // What is wrong is told as of the one kind that it is, and not as of all.
        let read = match said.get("tokenizer") {
            Some(_) => serde_json::from_value(said).map(Recipe::Text),
            None => serde_json::from_value(said).map(Recipe::Image),
        };
        read.map_err(Error::custom)
    }
}

impl From<Preprocessing> for Recipe {
    fn from(how: Preprocessing) -> Recipe {
        Recipe::Image(how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_the_fingerprints_that_they_had() {
        let recipe = Recipe::from(Preprocessing::imagenet());
        assert_eq!(recipe.fingerprint(), Digest::of_json(&Preprocessing::imagenet()));
        assert_eq!(&recipe.fingerprint().to_string()[..16], "4aa0ddb9f662a1a4");
        let json = serde_json::to_string(&recipe).unwrap();
        assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
        // What is wrong is told as of pictures, and not as of all kinds.
        let error =
            serde_json::from_str::<Recipe>(&json.replace("filter", "filtre")).unwrap_err().to_string();
        assert!(error.contains("unknown field `filtre`"), "{error}");
    }
}
