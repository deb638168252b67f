//! What was noticed of pictures that have features all the same: counted, and the first few named.

use input::Noticed;

/// Ids of each kind that are named.
const NAMED: usize = 3;

/// How a program writes a count, and the name of a sample.
pub type Words = (fn(u64) -> String, fn(&str) -> String);

/// What was noticed so far. Programs say how they write names and counts.
#[derive(Default)]
pub struct Remarks {
    damaged: Named,
    clipped: Named,
    flattened: Named,
    truncated: Named,
    reused: u64,
}

/// So many pictures, and the first of them.
#[derive(Default)]
struct Named {
    count: u64,
    first: Vec<String>,
}

impl Remarks {
    /// Takes what was noticed of a sample.
    pub fn add(&mut self, id: &str, noticed: Noticed) {
        self.damaged.add(id, noticed.damaged);
        self.clipped.add(id, noticed.clipped);
        self.flattened.add(id, noticed.flattened);
        self.truncated.add(id, noticed.truncated);
    }

    /// Of rows that were there already nothing is known.
    pub fn add_reused(&mut self, rows: usize) {
        self.reused += rows as u64;
    }

    /// A line for each kind that there is. `how`: how a count and a name are written.
    pub fn lines(&self, how: Words) -> Vec<String> {
        let lines = [
            self.damaged.line(how, "image", "with damaged JPEG data, of which other decoders may make other pixels"),
            self.clipped.line(how, "image", "with 16-bit grey levels above 255, which became white; --grey16 scale keeps the high byte"),
            self.flattened.line(
                how,
                "image",
                "with signed, 32-bit or real grey levels that do not span 0 to 255, which came out black or white; \
                 convert them to 8 bits",
            ),
            self.truncated.line(how, "text", "with more tokens than are read, which lost their end"),
        ];
        lines.into_iter().flatten().collect()
    }

    /// What is not known, if anything.
    pub fn unknown(&self, count: fn(u64) -> String) -> Option<String> {
        (self.reused > 0).then(|| {
            format!(
                "of {} reused rows it is not known whether files were damaged, grey levels clipped, or texts cut",
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
                self.first.push(id.to_owned());
            }
        }
    }

    fn line(&self, (count, name): Words, noun: &str, what: &str) -> Option<String> {
        let names = self.first.iter().map(|id| format!("`{}`", name(id))).collect::<Vec<_>>().join(", ");
        let more = self.count - self.first.len() as u64;
        let names = if more == 0 { names } else { format!("{names} and {} more", count(more)) };
        let s = if self.count == 1 { "" } else { "s" };
        (self.count > 0).then(|| format!("{} {noun}{s} {what}: {names}", count(self.count)))
    }
}
