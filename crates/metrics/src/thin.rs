//! Curves of a million vertices, thinned to what a drawing can show.

/// Keeps at most `most` (two or more) of `vertices`: the first, the last, and of those between the first in
/// each of equally long pieces of the way, `along` being how much of it, 0 to 1 and never less than before,
/// lies behind a vertex.
pub(crate) fn thin<T>(vertices: impl Iterator<Item = T>, along: impl Fn(&T) -> f64, most: usize) -> Vec<T> {
    let pieces = most.max(2) - 2;
    let mut kept = Vec::new();
    let mut piece = None;
    let mut last = None;
    for vertex in vertices {
        let here = Some((along(&vertex) * pieces as f64) as usize);
        if here == piece {
            last = Some(vertex);
        } else {
            (piece, last) = (here, None);
            kept.push(vertex);
        }
    }
    kept.extend(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_stay_and_the_rest_is_even() {
        let thinned = |vertices: usize, most| {
            thin(0..=vertices, |&vertex| vertex as f64 / vertices.max(1) as f64, most)
        };
        assert_eq!(thinned(0, 5), [0]);
        assert_eq!(thinned(3, 200), [0, 1, 2, 3]);
        assert_eq!(thinned(100, 2), [0, 100]);
        assert_eq!(thinned(100, 6), [0, 25, 50, 75, 100]);
        assert_eq!(thin(std::iter::empty::<u8>(), |_| 0.0, 5), []);
        for most in 2..50 {
            let kept = thinned(1000, most);
            assert!(kept.len() <= most && kept[0] == 0 && kept.last() == Some(&1000), "{most}: {kept:?}");
        }
    }
}
