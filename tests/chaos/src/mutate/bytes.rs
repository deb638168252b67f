//! Damage that knows nothing of formats.

use super::Random;
use rand::RngExt;

/// Numbers at which lengths and offsets go wrong.
const NUMBERS: [u64; 12] =
    [0, 1, 2, 7, 255, 65_535, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 53, 1 << 63, u64::MAX];

/// One to five changes, half of them near the beginning, where headers are.
pub(crate) fn bytes(random: &mut Random, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..[1, 1, 1, 2, 5][random.random_range(0..5)] {
        change(random, &mut bytes);
    }
    bytes
}

fn change(random: &mut Random, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return bytes.push(random.random());
    }
    let length = bytes.len();
    let reach = if random.random() { length } else { length.min(400) };
    let at = random.random_range(0..reach);
    let some = (at + [1, 4, 8, 64, 512][random.random_range(0..5)]).min(length);
    let number = NUMBERS[random.random_range(0..NUMBERS.len())];
    let mut put = |at: usize, new: &[u8]| {
        let end = (at + new.len()).min(length);
        bytes[at..end].copy_from_slice(&new[..end - at]);
    };
    match random.random_range(0..13) {
        0..3 => bytes[at] ^= 1 << random.random_range(0..8),
        3 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.random_range(0..5)],
        4 => bytes.truncate(random.random_range(0..length)),
        5 => bytes[at..some].fill(if random.random() { 0 } else { 0xFF }),
        6 => drop(bytes.splice(at..at, (0..8).map(|_| random.random::<u8>()).collect::<Vec<_>>())),
        7 => drop(bytes.drain(at..some)),
        8 => put(at / 4 * 4, &(number as u32).to_le_bytes()),
        9 => put(at / 8 * 8, &number.to_le_bytes()),
        10 => put(at, &(number as u32).to_be_bytes()),
        11 => {
            let again = bytes[at..some].to_vec();
            bytes.splice(at..at, again);
        }
        _ => bytes.resize(length + [1, 8, 4096][random.random_range(0..3)], 0),
    }
}
