//! How the texts begin that the page shows, from `--texts`.

use report::Page;
use sample::Pictures;

use super::thumbnails::wanted;
use crate::texts::text;

/// Characters that are shown.
const SHOWN: usize = 400;

/// Adds the texts of the samples that the page shows; gives the number of those that are not there.
pub(super) fn add(page: &mut Page, texts: Option<&Pictures>) -> anyhow::Result<usize> {
    let Some(texts) = texts else { return Ok(0) };
    let mut unread = 0;
    let ids: Vec<String> = wanted(page).into_iter().map(str::to_owned).collect();
    for id in ids {
        let Some(text) = text(texts, &id)? else {
            unread += 1;
            continue;
        };
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        page.texts.insert(id, shown);
    }
    Ok(unread)
}
