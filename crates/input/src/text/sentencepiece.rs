//! Models of SentencePiece's (Kudo and Richardson, 2018), in parts: the tokenizers library's file is made of them, as transformers
//! converts them.

use super::{
    Tokenizer,
    assembled::{Named, of_parts, template},
    characters,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// What stands for a space.
const SPACE: &str = "▁";

/// A model, and what its family adds to it.
#[derive(Clone, Debug, PartialEq)]
pub struct SentencePiece {
    /// Pieces of texts by their numbers, and how likely each is.
    pub pieces: Vec<(String, f32)>,
    /// Whether each piece may be made of two others, where it is so that pieces come about.
    pub made: Option<Vec<bool>>,
    /// The number of what is not known.
    pub unknown: usize,
    /// Whether characters that are not known become pieces for their bytes.
    pub bytes: bool,
    /// What becomes of a text before.
    pub spelling: Spelling,
    /// Which characters become which, as SentencePiece stores it; empty where they stay.
    pub characters: Vec<u8>,
    /// Whether a text begins as if it were after a space.
    pub prefix: bool,
    /// Tokens that are found in a text as they stand. Those without a piece have the numbers behind the pieces'.
    pub added: Vec<Added>,
    /// The number of the token that is put before every text.
    pub first: Option<usize>,
    /// Before the second text of a pair.
    pub between: Option<usize>,
    /// Behind every text.
    pub last: Option<usize>,
}

/// A token that is found in a text as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its number.
    pub id: usize,
    /// What it looks like.
    pub content: String,
    /// Whether it only steers.
    pub special: bool,
    /// Whether it takes the spaces before it.
    pub takes_spaces: bool,
}

/// What a family does to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// T5, XLM-R: several spaces are one, and those at the end none.
    Plain,
    /// ALBERT: spaces are nothing but the ends of words, and quotation marks are one kind.
    Albert {
        /// Whether letters are made small.
        lowers: bool,
        /// Whether accents stay.
        keeps_accents: bool,
    },
    /// Llama, where a text begins anew behind each token that only steers; and Gemma. All spaces stay.
    Spaces,
    /// Llama since, where it does not.
    SpacesOnce,
}

impl SentencePiece {
    /// The tokenizer that they make.
    ///
    /// # Errors
    /// Where a number is of no piece, a piece is there twice, or the library refuses the parts.
    pub fn tokenizer(&self) -> Result<Tokenizer, String> {
        let mut numbers: HashMap<&str, usize> = HashMap::with_capacity(self.pieces.len());
        for (id, (piece, score)) in self.pieces.iter().enumerate() {
            if piece.is_empty() || !score.is_finite() {
                return Err(format!("its piece {id} is empty, or its score is no number"));
            }
            if numbers.insert(piece, id).is_some() {
                return Err(format!("its piece `{}` is there twice", store::brief::shortened(piece)));
            }
        }
        characters::check(&self.characters)?;
        let (unknown, _) = self.pieces.get(self.unknown).ok_or("what is not known has no piece")?;
        let mut next = self.pieces.len();
        for Added { id, content, .. } in &self.added {
            let known = numbers.get(content.as_str()).copied();
            next += usize::from(known.is_none());
            if known.unwrap_or(next - 1) != *id {
                let content = store::brief::shortened(content);
                return Err(format!("its added token `{content}` should not have the number {id}"));
            }
        }
        let named = |id: Option<usize>| id.map(|id| self.named(id)).transpose();
        let around = [named(self.first)?, named(self.between)?, named(self.last)?];
        let model = match &self.made {
            Some(made) => json!({
                "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": self.bytes, "ignore_merges": false,
                "vocab": numbers.iter().map(|(piece, id)| ((*piece).to_owned(), json!(id))).collect::<Map<_, _>>(),
                "merges": self.merges(&numbers, made)
            }),
            None => json!({
                "type": "Unigram", "unk_id": self.unknown, "vocab": self.pieces, "byte_fallback": self.bytes
            }),
        };
        let added: Vec<Value> = self.added.iter().map(Added::told).collect();
        of_parts(&added, &self.normalizer(), &self.split(), &template(&around), &model)
    }

    fn named(&self, id: usize) -> Result<Named, String> {
        let added = || self.added.iter().find(|added| added.id == id).map(|added| &added.content);
        let name = self.pieces.get(id).map(|(piece, _)| piece).or_else(added);
        name.map(|name| (id, name.clone())).ok_or_else(|| format!("token {id} is not one of its tokens"))
    }

    /// Pairs of pieces that make a third, the likeliest first. Of equal ones those whose first half is longer: so runs of spaces grow.
    fn merges(&self, numbers: &HashMap<&str, usize>, made: &[bool]) -> Vec<[&str; 2]> {
        let is_made = |piece: &str| numbers.get(piece).and_then(|id| made.get(*id)) == Some(&true);
        let mut pairs = Vec::new();
        for (piece, score) in self.pieces.iter().filter(|(piece, _)| is_made(piece)) {
            for (at, _) in piece.char_indices().skip(1) {
                let (left, right) = piece.split_at(at);
                if is_made(left) && is_made(right) {
                    pairs.push((*score, left.chars().count(), right.chars().count(), [left, right]));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((b.1, b.2).cmp(&(a.1, a.2))));
        pairs.into_iter().map(|(.., pair)| pair).collect()
    }

    fn normalizer(&self) -> Value {
        let replace = |from: Value, to: &str| json!({"type": "Replace", "pattern": from, "content": to});
        let text = |from: &str, to: &str| replace(json!({"String": from}), to);
        let own = (!self.characters.is_empty()).then(
            || json!({"type": "Precompiled", "precompiled_charsmap": characters::base64(&self.characters)}),
        );
        let steps: Vec<Value> = match self.spelling {
            Spelling::Plain => {
                let strip = json!({"type": "Strip", "strip_left": false, "strip_right": true});
                own.into_iter().chain([strip, replace(json!({"Regex": " {2,}"}), SPACE)]).collect()
            }
            Spelling::Albert { lowers, keeps_accents } => {
                let mut steps = vec![text("``", "\""), text("''", "\"")];
                if !keeps_accents {
                    steps.extend([json!({"type": "NFKD"}), json!({"type": "StripAccents"})]);
                }
                steps.extend(lowers.then(|| json!({"type": "Lowercase"})));
                steps.into_iter().chain(own).collect()
            }
            Spelling::Spaces => {
                let prefix = self.prefix.then(|| json!({"type": "Prepend", "prepend": SPACE}));
                own.into_iter().chain(prefix).chain([text(" ", SPACE)]).collect()
            }
            Spelling::SpacesOnce => own.into_iter().collect(),
        };
        if steps.is_empty() { Value::Null } else { json!({"type": "Sequence", "normalizers": steps}) }
    }

    fn split(&self) -> Value {
        let spaces = |prepended: &str, splits: bool| json!({"type": "Metaspace", "replacement": SPACE, "prepend_scheme": prepended, "split": splits});
        let prepended = |how| if self.prefix { how } else { "never" };
        match self.spelling {
            Spelling::Plain => spaces(prepended("always"), true),
            Spelling::Albert { .. } => json!({
                "type": "Sequence",
                "pretokenizers": [{"type": "WhitespaceSplit"}, spaces(prepended("always"), true)]
            }),
            Spelling::Spaces => Value::Null,
            Spelling::SpacesOnce => spaces(prepended("first"), false),
        }
    }
}

impl Added {
    fn told(&self) -> Value {
        let Added { id, content, special, takes_spaces } = self;
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": takes_spaces, "rstrip": false,
            "normalized": false, "special": special
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(texts: &[&str]) -> Vec<(String, f32)> {
        texts.iter().enumerate().map(|(id, text)| ((*text).to_owned(), -(id as f32))).collect()
    }

    fn model(texts: &[&str]) -> SentencePiece {
        SentencePiece {
            pieces: pieces(texts),
            made: None,
            unknown: 0,
            bytes: false,
            spelling: Spelling::Plain,
            characters: Vec::new(),
            prefix: true,
            added: Vec::new(),
            first: None,
            between: None,
            last: None,
        }
    }

    fn ids(model: &SentencePiece, text: &str) -> Vec<u32> {
        model.tokenizer().unwrap().encode_bare(text, None).unwrap()
    }

    #[test]
    fn the_likeliest_pieces_are_taken() {
        let plain = model(&["<unk>", "▁", "▁a", "a", "▁ab", "b", "</s>"]);
        assert_eq!(ids(&plain, "ab  a b "), [4, 2, 1, 5]);
        assert_eq!(ids(&plain, "x"), [1, 0]);
        let never = SentencePiece { prefix: false, ..plain.clone() };
        assert_eq!(ids(&never, "ab"), [3, 5]);
        let ended = SentencePiece { last: Some(6), ..plain };
        let (encoded, _) = ended.tokenizer().unwrap().encode("a", Some("b"), 9).unwrap();
        assert_eq!(encoded.get_ids(), [2, 6, 1, 5, 6]);
    }

    #[test]
    fn albert_s_letters_are_small_and_bare() {
        let spelling = Spelling::Albert { lowers: true, keeps_accents: false };
        let albert = SentencePiece { spelling, ..model(&["<unk>", "▁e", "▁\"", "e", "É"]) };
        assert_eq!(ids(&albert, "É  ``e'' "), [1, 2, 3, 0]);
        let spelling = Spelling::Albert { lowers: false, keeps_accents: true };
        assert_eq!(ids(&SentencePiece { spelling, ..albert }, "eÉ"), [1, 4]);
    }

    #[test]
    fn pieces_are_joined_and_bytes_stand_for_the_unknown() {
        let texts = ["<unk>", "<s>", "▁", "a", "b", "ab", "▁ab", "<0xC3>", "<0xA9>", "▁▁"];
        let made = texts.iter().map(|text| !text.starts_with('<')).collect();
        let special = Added { id: 1, content: "<s>".to_owned(), special: true, takes_spaces: false };
        let joined = SentencePiece {
            made: Some(made),
            bytes: true,
            spelling: Spelling::Spaces,
            added: vec![special],
            first: Some(1),
            ..model(&texts)
        };
        assert_eq!(ids(&joined, "ab aé"), [6, 2, 3, 7, 8]);
        // Two spaces, and that before every text.
        assert_eq!(ids(&joined, "  a"), [9, 2, 3]);
        assert_eq!(ids(&joined, "a<s>a"), [2, 3, 1, 2, 3]);
        let once = SentencePiece { spelling: Spelling::SpacesOnce, ..joined };
        assert_eq!(ids(&once, "a<s>a"), [2, 3, 1, 3]);
        let (encoded, _) = once.tokenizer().unwrap().encode("ab", None, 9).unwrap();
        assert_eq!(encoded.get_ids(), [1, 6]);
    }

    #[test]
    fn characters_become_others() {
        let mapped =
            SentencePiece { characters: characters::tests::small(), ..model(&["<unk>", "▁", "a", "b"]) };
        assert_eq!(ids(&mapped, "aA"), [1, 2, 3]);
    }

    #[test]
    fn a_damaged_table_of_characters_is_refused_or_read() {
        let whole = characters::tests::small();
        let told = |characters: &[u8]| {
            let model =
                SentencePiece { characters: characters.to_vec(), ..model(&["<unk>", "▁", "a", "b"]) };
            let tokenizer = model.tokenizer()?;
            let every: String = (0..0x250).filter_map(char::from_u32).collect();
            tokenizer.encode_bare(&every, None).map(|_| ()).map_err(|error| error.to_string())
        };
        for cut in 1..whole.len() - 2 {
            told(&whole[..cut]).unwrap_err();
        }
        let mut refused = 0;
        for at in [
            0,
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            4 + 4 * 321,
            5 + 4 * 321,
            6 + 4 * 321,
            7 + 4 * 321,
            4 + 4 * 512,
            7 + 4 * 512,
            3076,
        ] {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                refused += usize::from(told(&damaged).is_err());
            }
        }
        assert!(refused > 40, "{refused}");
    }

    #[test]
    fn what_contradicts_itself_is_one_line() {
        let plain = model(&["<unk>", "a"]);
        let added =
            |id, content: &str| Added { id, content: content.to_owned(), special: true, takes_spaces: false };
        for (wrong, part) in [
            (model(&["<unk>", "a", "a"]), "`a` is there twice"),
            (model(&["<unk>", ""]), "piece 1 is empty"),
            (
                SentencePiece { pieces: vec![("a".to_owned(), f32::NAN)], ..plain.clone() },
                "score is no number",
            ),
            (SentencePiece { unknown: 2, ..plain.clone() }, "what is not known"),
            (SentencePiece { last: Some(2), ..plain.clone() }, "token 2 is not one"),
            (
                SentencePiece { added: vec![added(0, "a")], ..plain.clone() },
                "`a` should not have the number 0",
            ),
            (
                SentencePiece { added: vec![added(3, "b")], ..plain.clone() },
                "`b` should not have the number 3",
            ),
            (SentencePiece { characters: vec![1, 2, 3], ..plain.clone() }, "table of characters"),
            (SentencePiece { characters: vec![0xFF; 8], ..plain.clone() }, "table of characters"),
            (SentencePiece { characters: vec![0; 4], ..plain.clone() }, "table of characters"),
        ] {
            let told = wrong.tokenizer().unwrap_err();
            assert!(told.contains(part) && !told.contains('\n'), "{told}");
        }
        SentencePiece { added: vec![added(1, "a"), added(2, "b"), added(3, "c")], ..plain }
            .tokenizer()
            .unwrap();
    }
}
