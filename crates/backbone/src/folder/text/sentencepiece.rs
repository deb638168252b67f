//! Folders whose tokenizer is a model of SentencePiece's alone: `spiece.model`, `sentencepiece.bpe.model` or `tokenizer.model`.
//!
//! Fields are those of `sentencepiece_model.proto`. What a family adds is what transformers' converters add.

use super::super::Config;
use crate::BackboneError;
use input::text::{Added, SentencePiece, Spelling, Tokenizer, TokenizerError};
use serde::Deserialize;
use std::{collections::BTreeMap, ops::Range, path::Path};
use store::read_file;
use weights::protobuf::{Broken, Fields, Wire, text};

/// What such files are called.
const NAMES: [&str; 3] = ["spiece.model", "sentencepiece.bpe.model", "tokenizer.model"];
/// Bytes of a model: the largest that are known have 5 MiB.
const MOST: u64 = 64 << 20;
/// Pieces of a model.
const MOST_PIECES: usize = 1 << 22;
/// Tokens of T5's own that stand for parts left out: it has a hundred.
const MOST_EXTRA: usize = 1 << 16;

/// What kind of piece it is, by the numbers of `SentencePiece.Type`.
const NORMAL: u64 = 1;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// What is read of `ModelProto`.
struct Model {
    pieces: Vec<Piece>,
    /// Of `TrainerSpec`: 1 is unigram, 2 is BPE.
    kind: u64,
    bytes: bool,
    unknown: usize,
    suffixes: bool,
    /// Of `NormalizerSpec`.
    characters: Vec<u8>,
}

#[derive(Clone)]
struct Piece {
    text: String,
    score: f32,
    kind: u64,
}

/// Of `tokenizer_config.json`.
#[derive(Default, Deserialize)]
struct Said {
    do_lower_case: Option<bool>,
    keep_accents: Option<bool>,
    add_prefix_space: Option<bool>,
    add_bos_token: Option<bool>,
    add_eos_token: Option<bool>,
    legacy: Option<bool>,
    extra_ids: Option<usize>,
    #[serde(default)]
    added_tokens_decoder: BTreeMap<usize, AddedToken>,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    special: bool,
}

/// The tokenizer of a folder with a network of that kind; `None` where there is no such file, or the kind has none.
///
/// # Errors
/// Where the file is damaged, or says what is not built.
pub(super) fn of(folder: &Path, kind: &str) -> Result<Option<Tokenizer>, BackboneError> {
    let Some(path) = NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) else {
        return Ok(None);
    };
    let Some(family) = Family::of(kind) else { return Ok(None) };
    let broken = |reason: String| TokenizerError::Broken { file: path.clone(), reason };
    let model = Model::read(&read_file(&path, MOST)?).map_err(|error| broken(error.to_string()))?;
    let said: Said = match Config::read(folder, "tokenizer_config.json")? {
        Some(config) => config.parse()?,
        None => Said::default(),
    };
    // Of older folders.
    let added: BTreeMap<String, usize> = match Config::read(folder, "added_tokens.json")? {
        Some(config) => config.parse()?,
        None => BTreeMap::new(),
    };
    Ok(Some(family.parts(model, said, added).and_then(|parts| parts.tokenizer()).map_err(broken)?))
}

/// What a family adds to its model.
#[derive(Clone, Copy)]
enum Family {
    T5,
    XlmRoberta,
    Camembert,
    Albert,
    Llama,
    Gemma,
}

impl Family {
    fn of(kind: &str) -> Option<Family> {
        Some(match kind {
            "t5" | "mt5" => Family::T5,
            "xlm-roberta" => Family::XlmRoberta,
            "camembert" => Family::Camembert,
            "albert" => Family::Albert,
            "llama" | "mistral" => Family::Llama,
            "gemma" | "gemma2" | "gemma3_text" => Family::Gemma,
            _ => return None,
        })
    }

    fn parts(
        self,
        model: Model,
        said: Said,
        older: BTreeMap<String, usize>,
    ) -> Result<SentencePiece, String> {
        let Model { pieces, kind, bytes, unknown, suffixes, characters } = model;
        if !(1..=2).contains(&kind) || suffixes {
            return Err(
                "only models of the types unigram and bpe are read, with spaces before words".to_owned()
            );
        }
        let extra = said.extra_ids.unwrap_or(100);
        if extra > MOST_EXTRA {
            return Err(format!("`extra_ids` asks for {extra}, expected up to {MOST_EXTRA}"));
        }
        let (pieces, unknown) = self.numbered(pieces, unknown, extra);
        let token = |name: &str| {
            let at = pieces.iter().position(|piece| piece.text == name);
            at.ok_or_else(|| format!("it has no piece `{name}`"))
        };
        let is_put = |said: Option<bool>, usual: bool| said.unwrap_or(usual);
        let (first, between, last) = match self {
            Family::T5 => (None, None, Some(token("</s>")?)),
            Family::XlmRoberta | Family::Camembert => {
                (Some(token("<s>")?), Some(token("</s>")?), Some(token("</s>")?))
            }
            Family::Albert => (Some(token("[CLS]")?), None, Some(token("[SEP]")?)),
            Family::Llama | Family::Gemma => {
                let [bos, eos] = if let Family::Gemma = self { ["<bos>", "<eos>"] } else { ["<s>", "</s>"] };
                let bos = is_put(said.add_bos_token, true).then(|| token(bos)).transpose()?;
                (bos, bos, is_put(said.add_eos_token, false).then(|| token(eos)).transpose()?)
            }
        };
        let spelling = match self {
            Family::T5 | Family::XlmRoberta | Family::Camembert => Spelling::Plain,
            Family::Albert => Spelling::Albert {
                lowers: said.do_lower_case.unwrap_or(true),
                keeps_accents: said.keep_accents.unwrap_or(false),
            },
            Family::Llama if said.legacy == Some(false) => Spelling::SpacesOnce,
            Family::Llama | Family::Gemma => Spelling::Spaces,
        };
        let added = added(&pieces, unknown, said.added_tokens_decoder, older);
        let made = |piece: &Piece| [NORMAL, USER_DEFINED].contains(&piece.kind);
        Ok(SentencePiece {
            made: (kind == 2).then(|| pieces.iter().map(made).collect()),
            pieces: pieces.into_iter().map(|piece| (piece.text, piece.score)).collect(),
            unknown,
            bytes: bytes && matches!(self, Family::Llama | Family::Gemma),
            spelling,
            // Llama's and Gemma's stay as they are, whatever the file says.
            characters: if let Family::Llama | Family::Gemma = self { Vec::new() } else { characters },
            prefix: !matches!(self, Family::Gemma) && said.add_prefix_space.unwrap_or(true),
            added,
            first,
            between,
            last,
        })
    }

    /// Pieces by the numbers that the network knows them by, and the number of what is not known.
    fn numbered(self, mut pieces: Vec<Piece>, unknown: usize, extra: usize) -> (Vec<Piece>, usize) {
        let own = |name: &str| Piece { text: name.to_owned(), score: 0.0, kind: CONTROL };
        let moved = |before: &[&str], left_out: usize, mut pieces: Vec<Piece>| {
            let kept = pieces.split_off(left_out.min(pieces.len()));
            before.iter().map(|name| own(name)).chain(kept).chain([own("<mask>")]).collect()
        };
        match self {
            Family::T5 => {
                pieces.extend((0..extra).rev().map(|at| own(&format!("<extra_id_{at}>"))));
                (pieces, unknown)
            }
            // The network has fairseq's numbers.
            Family::XlmRoberta => (moved(&["<s>", "<pad>", "</s>", "<unk>"], 3, pieces), 3),
            Family::Camembert => {
                let before = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"];
                (moved(&before, 1, pieces), 3)
            }
            Family::Albert => {
                // A number goes before the comma behind it.
                let is_number = |text: &str| {
                    text.ends_with(',') && text.chars().rev().nth(1).is_some_and(char::is_numeric)
                };
                pieces
                    .iter_mut()
                    .filter(|piece| is_number(&piece.text))
                    .for_each(|piece| piece.score -= 100.0);
                (pieces, unknown)
            }
            Family::Llama | Family::Gemma => (pieces, unknown),
        }
    }
}

/// Tokens that are found in texts as they stand: those that steer or that a user has defined, and what files beside the model add.
fn added(
    pieces: &[Piece],
    unknown: usize,
    decoder: BTreeMap<usize, AddedToken>,
    older: BTreeMap<String, usize>,
) -> Vec<Added> {
    let own = pieces
        .iter()
        .enumerate()
        .filter(|(id, piece)| [CONTROL, USER_DEFINED].contains(&piece.kind) || *id == unknown);
    let own = own.map(|(id, piece)| Added {
        id,
        content: piece.text.clone(),
        special: piece.kind != USER_DEFINED,
        takes_spaces: ["<mask>", "[MASK]"].contains(&piece.text.as_str()),
    });
    let older =
        older.into_iter().map(|(content, id)| Added { id, content, special: true, takes_spaces: false });
    let said = decoder.into_iter().map(|(id, AddedToken { content, lstrip, special })| Added {
        id,
        content,
        special,
        takes_spaces: lstrip,
    });
    // What is said last holds.
    let by_number: BTreeMap<usize, Added> =
        own.chain(older).chain(said).map(|added| (added.id, added)).collect();
    by_number.into_values().collect()
}

impl Model {
    fn read(file: &[u8]) -> Result<Model, Broken> {
        let mut model = Model {
            pieces: Vec::new(),
            kind: 1,
            bytes: false,
            unknown: 0,
            suffixes: false,
            characters: Vec::new(),
        };
        for field in Fields::of(file, 0..file.len()) {
            match field? {
                (1, Wire::Bytes(range)) if model.pieces.len() < MOST_PIECES => {
                    model.pieces.push(Piece::read(file, range)?);
                }
                (2, Wire::Bytes(range)) => model.read_trainer(file, range)?,
                (3, Wire::Bytes(range)) => {
                    for field in Fields::of(file, range) {
                        if let (2, Wire::Bytes(range)) = field? {
                            model.characters = file.get(range).ok_or(Broken)?.to_vec();
                        }
                    }
                }
                (1..=3, _) => return Err(Broken),
                _ => {}
            }
        }
        // An empty file is a message too.
        if model.pieces.is_empty() { Err(Broken) } else { Ok(model) }
    }

    fn read_trainer(&mut self, file: &[u8], range: Range<usize>) -> Result<(), Broken> {
        for field in Fields::of(file, range) {
            match field? {
                (3, Wire::Number(kind)) => self.kind = kind,
                (24, Wire::Number(flag)) => self.suffixes = flag != 0,
                (35, Wire::Number(flag)) => self.bytes = flag != 0,
                (40, Wire::Number(id)) => self.unknown = usize::try_from(id).map_err(|_| Broken)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl Piece {
    fn read(file: &[u8], range: Range<usize>) -> Result<Piece, Broken> {
        let mut piece = Piece { text: String::new(), score: 0.0, kind: NORMAL };
        for field in Fields::of(file, range) {
            match field? {
                (1, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut piece.text),
                (2, Wire::Fixed32(score)) => piece.score = f32::from_le_bytes(score),
                (3, Wire::Number(kind)) => piece.kind = kind,
                _ => {}
            }
        }
        Ok(piece)
    }
}
