//! Bundles.

use crate::scratch;
use model::Model;

/// A file, as it is and with its digest mended. The head in it has a digest of its own, which [`head`](crate::head) mends.
pub fn bundle(bytes: &[u8]) {
    read(bytes);
    if let Some(forged) = forged(bytes) {
        read(&forged);
    }
}

fn read(bytes: &[u8]) {
    scratch::with_file("x.hst", bytes, |path| match Model::open(path, &[]) {
        Ok(model) => {
            let mut sources: Vec<usize> =
                model.towers.iter().flat_map(|tower| &tower.sources).copied().collect();
            sources.sort_unstable();
            assert!(sources.into_iter().eq(0..model.head.sources.len()));
            for tower in &model.towers {
                assert_eq!(tower.bound.network().outputs().len(), tower.sources.len());
                assert!(tower.recipe.check().is_ok());
                for (param, tensor) in tower.bound.tensors() {
                    assert_eq!((&param.shape, param.len()), (&tensor.shape, tensor.data.len()));
                }
            }
            assert_eq!(Model::open_head(path).unwrap(), model.head);
        }
        Err(error) => drop(error.to_string()),
    });
}

/// The same with its digest mended.
fn forged(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(u64::from_le_bytes(*bytes.first_chunk()?)).ok()?;
    let at = store::seal::place_in(bytes.get(..length.checked_add(8)?)?)?;
    let mut forged = bytes.to_vec();
    scratch::seal(&mut forged, at)?;
    Some(forged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_bundle_is_believed() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/bundle/seed-one");
        let mut bytes = std::fs::read(corpus).unwrap();
        // A weight, which a digest is there to keep out.
        let at = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize + 3;
        bytes[at] ^= 1;
        scratch::with_file("y.hst", &bytes, |path| assert!(Model::open(path, &[]).is_err()));
        scratch::with_file("y.hst", &forged(&bytes).unwrap(), |path| {
            assert!(Model::open(path, &[]).is_ok());
        });
    }
}
