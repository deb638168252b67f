//! Tokenizers.

use input::{
    Recipe,
    text::{PROBES, Tokenisation, Tokenizer},
};
use store::Digest;

/// Texts that tokenizers treat in ways of their own.
const TEXTS: [&str; 6] =
    [PROBES[0], "", "  a\tb\n", "naïve 試験 🙂👩‍👩‍👧", "\u{feff}x\u{301}\u{200d}", "first\0second"];
/// Tokens of a text.
const MOST: usize = 12;

/// A tokenizer.json, and what it makes of texts.
pub fn tokenizer(bytes: &[u8]) {
    let Ok(tokenizer) = Tokenizer::of(bytes.to_vec()) else { return };
    assert_eq!(tokenizer.bytes(), bytes);
    let Ok(how) = Tokenisation::new(tokenizer, MOST, String::new()) else { return };
    let windows = how.clone().with_windows(None).ok();
    for how in std::iter::once(how).chain(windows) {
        let most = how.stride().map_or(MOST, |_| usize::MAX);
        let recipe = Recipe::Text(how);
        for text in TEXTS {
            let Ok((tokens, _)) = recipe.load(text.as_bytes(), &Digest::of(text.as_bytes()), None, &[0])
            else {
                continue;
            };
            let inputs = input::Inputs::of(tokens);
            let (tokens, ends) = input::text::tokens_of(inputs.batch());
            assert!(!tokens.is_empty() && tokens.len() <= most && ends.last() == Some(&tokens.len()));
        }
    }
}
