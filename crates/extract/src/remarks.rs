//! What was noticed of pictures that have features all the same: counted, and the first few named.

use cli::count;
use input::Noticed;

/// Ids of each kind that are named.
const NAMED: usize = 3;

/// What was noticed so far.
#[derive(Default)]
pub(crate) struct Remarks {
    damaged: Named,
    clipped: Named,
    flattened: Named,
    reused: u64,
}

/// So many pictures, and the first of them.
#[derive(Default)]
struct Named {
    count: u64,
    first: Vec<String>,
}

impl Remarks {
    pub(crate) fn add(&mut self, id: &str, noticed: Noticed) {
        self.damaged.add(id, noticed.damaged);
        self.clipped.add(id, noticed.clipped);
        self.flattened.add(id, noticed.flattened);
    }

    /// Of rows that were there already nothing is known.
    pub(crate) fn add_reused(&mut self, rows: usize) {
        self.reused += rows as u64;
    }

    /// A line for each kind that there is.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = [
            self.damaged.line("with damaged JPEG data, of which other decoders may make other pixels"),
            self.clipped.line("with 16-bit grey levels above 255, which became white; --grey16 scale keeps the high byte"),
            self.flattened.line(
                "with signed, 32-bit or real grey levels that do not span 0 to 255, which came out black or white; \
                 convert them to 8 bits",
            ),
        ];
        lines.into_iter().flatten().collect()
    }

    /// What is not known, if anything.
    pub(crate) fn unknown(&self) -> Option<String> {
        (self.reused > 0).then(|| {
            format!(
                "of {} reused rows it is not known whether files were damaged or grey levels clipped",
                count(self.reused)
            )
        })
    }
}

impl Named {
    fn add(&mut self, id: &str, it_is: bool) {
        if it_is {
            self.count += 1;
            if self.first.len() < NAMED {
                self.first.push(cli::name(id));
            }
        }
    }

    fn line(&self, what: &str) -> Option<String> {
        let names = self.first.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        let more = self.count - self.first.len() as u64;
        let names = if more == 0 { names } else { format!("{names} and {} more", count(more)) };
        let images = if self.count == 1 { "image" } else { "images" };
        (self.count > 0).then(|| format!("{} {images} {what}: {names}", count(self.count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_their_first_named() {
        let mut remarks = Remarks::default();
        assert!(remarks.lines().is_empty());
        for i in 0..1200 {
            remarks.add(&format!("a/{i}.png"), Noticed { clipped: true, ..Noticed::default() });
        }
        remarks.add("b\u{1b}.jpg", Noticed { damaged: true, ..Noticed::default() });
        let lines = remarks.lines();
        assert_eq!(
            lines,
            [
                "1 image with damaged JPEG data, of which other decoders may make other pixels: `b\\u{1b}.jpg`",
                "1,200 images with 16-bit grey levels above 255, which became white; --grey16 scale keeps the high byte: \
                 `a/0.png`, `a/1.png`, `a/2.png` and 1,197 more",
            ]
        );
        assert_eq!(remarks.unknown(), None);
        remarks.add_reused(1400);
        assert!(remarks.unknown().is_some_and(|line| line.starts_with("of 1,400 reused rows ")));
        remarks.add(&"x".repeat(5000), Noticed { flattened: true, ..Noticed::default() });
        assert!(remarks.lines().iter().all(|line| line.chars().count() < 500));
    }
}
