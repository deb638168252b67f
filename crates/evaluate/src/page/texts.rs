//! How the texts begin that the page shows, from `--texts`.

use anyhow::Context as _;
use report::Page;
use sample::Pictures;

use super::thumbnails::wanted;

/// Bytes of a text, at most.
const MOST_TEXT: u64 = 1 << 20;
/// Characters that are shown.
const SHOWN: usize = 400;

/// Adds the texts of the samples that the page shows; gives the number of those that are not there.
pub(super) fn add(page: &mut Page, texts: Option<&Pictures>) -> anyhow::Result<usize> {
    let Some(texts) = texts else { return Ok(0) };
    let mut unread = 0;
    let ids: Vec<String> = wanted(page).into_iter().map(str::to_owned).collect();
    for id in ids {
        let read = texts.read(&id, MOST_TEXT).with_context(|| format!("cannot read the text of `{id}`"))?;
        let Some(bytes) = read else {
            unread += 1;
            continue;
        };
        // A pair's two stand on either side of a NUL.
        let text = String::from_utf8_lossy(&bytes).replace('\0', " / ");
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        page.texts.insert(id, shown);
    }
    Ok(unread)
}
