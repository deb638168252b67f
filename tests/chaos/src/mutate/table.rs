//! Damage to CSV that leaves it CSV, mostly.

use super::{Random, bytes, one};
use rand::RngExt;

/// Cells that are no id, no label and no split.
const CELLS: [&str; 14] = [
    "",
    "../../etc/passwd",
    "/etc/passwd",
    "=cmd()",
    "\u{1b}[31mred",
    "..",
    ".",
    "small",
    "small/train",
    "/dev/zero",
    " a ",
    "cat;dog",
    "\u{202e}gnp.a",
    "a//b.png",
];

/// One change to a table.
pub(crate) fn csv(random: &mut Random, good: &str) -> Vec<u8> {
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    let at = random.random_range(1..lines.len());
    match random.random_range(0..14) {
        0 => lines[at].insert(0, '"'),
        1 => lines[at].insert(5, '\0'),
        2 => return good.replace('\n', "\r\n").into_bytes(),
        3 => return good.replace('\n', "\r").into_bytes(),
        4 => return ["\u{feff}".as_bytes(), good.as_bytes()].concat(),
        5 => lines[at].insert_str(0, &"A".repeat(2_000_000)),
        6 => {
            lines[0] =
                one(random, &["path,label,label", "path, label, split", "Path,Label", "path", ""]).to_owned();
        }
        7 => lines[at].push_str(&",".repeat([1, 5, 1000][random.random_range(0..3)])),
        8..11 => {
            let mut cells: Vec<&str> = lines[at].split(',').collect();
            let column = random.random_range(0..cells.len());
            cells[column] = one(random, &CELLS);
            lines[at] = cells.join(",");
        }
        11 => lines.insert(at, String::new()),
        12 => return good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => return bytes(random, good.as_bytes()),
    }
    (lines.join("\n") + "\n").into_bytes()
}
