//! Head files.

use crate::scratch;
use head::Head;
use serde_json::Value;
use store::DigestBuilder;

/// A file, as it is and with its digests mended.
pub fn head(bytes: &[u8]) {
    read(bytes);
    if let Some(forged) = forged(bytes) {
        read(&forged);
    }
}

fn read(bytes: &[u8]) {
    scratch::with_file("x.head", bytes, |path| match Head::read(path) {
        Ok(head) => {
            for pair in head.layers.windows(2) {
                assert_eq!(pair[0].outputs, pair[1].inputs);
            }
            for layer in &head.layers {
                assert_eq!(layer.weight.len(), layer.inputs * layer.outputs);
                assert_eq!(layer.bias.len(), layer.outputs);
            }
            if let Some(pool) = &head.pool {
                assert_eq!(pool.queries.len(), pool.count() * pool.of.channels);
                assert_eq!(head.layers[0].inputs, pool.outputs());
            }
            assert!(head.dim() > 0 && !head.classes.is_empty());
            if head.dim() < 1 << 16 {
                // A graph may ask for more memory than there is.
                let scores = head::Scorer::of(&head).map(|scorer| scorer.of_rows(&vec![1.0; head.dim()]));
                assert!(
                    scores.is_ok_and(|scores| scores.len() == head.classes.len()) || head.graph.is_some()
                );
            }
            // What was read can be written, and is then the same.
            head.digest();
        }
        Err(error) => drop(error.to_string()),
    });
}

/// The same with its digests mended: of its tensors (names, shapes and bytes, in the order of names), and of the whole file,
/// where it has them.
fn forged(bytes: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (json, data) = rest.split_at_checked(length)?;
    let mut header: Value = serde_json::from_slice(json).ok()?;
    let tensors = header.as_object()?.iter().filter(|(name, _)| *name != "__metadata__");
    let mut builder = DigestBuilder::new();
    for (name, tensor) in tensors {
        let numbers =
            |key: &str| tensor.get(key)?.as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
        let shape: Vec<u8> = numbers("shape")?.iter().flat_map(|side| side.to_le_bytes()).collect();
        let [from, to] = numbers("data_offsets")?[..] else { return None };
        let data = data.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
        builder.field(name.as_bytes()).field(&shape).field(data);
    }
    let own = header.get_mut("__metadata__")?.get_mut("headstart")?;
    let mut inner: Value = serde_json::from_str(own.as_str()?).ok()?;
    if let Some(digest) = inner.get_mut("tensors") {
        *digest = Value::String(builder.finish().to_string());
    }
    *own = Value::String(inner.to_string());
    let json = header.to_string();
    let whole = json.rfind(DIGEST).map(|at| 8 + at + DIGEST.len());
    let mut forged = [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), data].concat();
    if let Some(at) = whole {
        scratch::seal(&mut forged, at)?;
    }
    Some(forged)
}

/// What stands before the digits of a file's digest: JSON within JSON.
const DIGEST: &str = r#"\"digest\":\""#;

#[cfg(test)]
mod tests {
    use super::*;
    use head::HeadKind;
    use input::PROBES;
    use store::Digest;
    use weights::Dense;

    #[test]
    fn a_forged_head_is_believed() {
        let source = crate::source();
        let head = Head {
            graph: None,
            kind: HeadKind::Linear,
            classes: vec!["a".into(), "b".into()],
            targets: Default::default(),
            pool: None,
            layers: vec![Dense { inputs: 1, outputs: 2, weight: vec![0.5; 2], bias: vec![0.0; 2] }],
            memory: None,
            novelty: None,
            sources: vec![source],
            probes: vec![0.25; PROBES],
            fit: serde_json::json!({}),
            features: Digest::of(b"features"),
            seen: None,
        };
        let folder = scratch::folder();
        let path = folder.path().join("x.head");
        head.write(&path, false).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        // Another bias, which a digest is there to keep out.
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(Head::read(&path).is_err());
        std::fs::write(&path, forged(&bytes).unwrap()).unwrap();
        let read = Head::read(&path).unwrap();
        assert!(read.classes == head.classes && read != head);
    }
}
