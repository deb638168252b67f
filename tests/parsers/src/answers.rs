//! Answers of remote models.

use crate::scratch;
use endpoint::{Journal, Model};
use store::Digest;

const HEADER: usize = 64;
const DIGEST: usize = 32;

/// A file of answers, as it is and with its digests mended.
pub fn answers(bytes: &[u8]) {
    read(bytes);
    read(&forged(bytes));
}

fn model() -> Model {
    Model { name: "m".to_owned(), dimensions: None }
}

fn read(bytes: &[u8]) {
    scratch::with_file(&model().file_name(), bytes, |path| {
        let Some(folder) = path.parent() else { return };
        let open = || Journal::open(folder, &model(), || {});
        let Ok(mut journal) = open() else { return };
        let text = Digest::of(b"a text");
        let before = journal.len();
        assert!(journal.width().is_some() || journal.is_empty());
        let width = journal.width().unwrap_or(2);
        journal.append([(text, vec![0.5; width].as_slice())]).unwrap();
        assert_eq!(journal.row(&text).unwrap().unwrap(), vec![0.5; width]);
        drop(journal);
        // What was there stays, and what came is there.
        let mut again = open().unwrap();
        assert!(again.len() >= before && again.len() <= before + 1);
        assert_eq!(again.row(&text).unwrap().unwrap(), vec![0.5; width]);
    });
}

/// The same, with every digest that a reader looks at made right.
fn forged(bytes: &[u8]) -> Vec<u8> {
    let mut forged = bytes.to_vec();
    if forged.len() < HEADER {
        return forged;
    }
    forged[16..48].copy_from_slice(model().identity().as_bytes());
    let header = Digest::of(&forged[..48]);
    forged[48..HEADER].copy_from_slice(&header.as_bytes()[..16]);
    let width = u32::from_le_bytes([forged[12], forged[13], forged[14], forged[15]]) as usize;
    let record = width.saturating_mul(4).saturating_add(DIGEST);
    let whole = record.saturating_add(DIGEST);
    for record_bytes in forged[HEADER..].chunks_exact_mut(whole.clamp(1, usize::MAX)) {
        let digest = Digest::of(&record_bytes[..record]);
        record_bytes[record..].copy_from_slice(digest.as_bytes());
    }
    forged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forged_answers_are_believed() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/answers/seed-two");
        let mut bytes = std::fs::read(corpus).unwrap();
        bytes[HEADER + DIGEST] ^= 1;
        let count = |bytes: &[u8]| {
            scratch::with_file(&model().file_name(), bytes, |path| {
                Journal::open(path.parent().unwrap(), &model(), || {}).unwrap().len()
            })
        };
        assert!(count(&bytes) < 2);
        assert_eq!(count(&forged(&bytes)), 2);
    }
}
