//! PBM, PGM and PPM, plain and raw (P1 to P6), after Pillow's `PpmImagePlugin`: levels are scaled to 255, or to 65,535
//! where there are more than 256, and the latter are 16-bit grey like any other.

use super::{Stored, convert, orientation::Orientation, share::admit};
use crate::Noticed;
use crate::image::{BadImage, Format, Grey16, Picture};

const PNM: Format = Format::Pnm;
/// A number has no more digits than this.
const DIGITS: usize = 10;

pub(super) fn decode(bytes: &[u8], grey16: Grey16) -> Result<Stored, BadImage> {
    let Some([_, kind @ b'1'..=b'6', _]) = bytes.first_chunk::<3>() else {
        return Err(PNM.corrupt("no header"));
    };
    let mut header = Header { rest: &bytes[3..] };
    let (width, height) = (header.number()?, header.number()?);
    let bits = matches!(kind, b'1' | b'4');
    let most = if bits { 1 } else { header.number()? };
    if !(1..=65_535).contains(&most) {
        return Err(PNM.corrupt(format!("levels up to {most}, not 1 to 65535")));
    }
    // Levels, and what they become.
    let share = admit(PNM, (width, height), 12, bytes)?;
    let data = header.rest;
    let channels = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
    let (width_, height_) = (width as usize, height as usize);
    let count = width_ * height_ * channels;
    let levels = match kind {
        b'1' => plain_bits(data, count)?,
        b'2' | b'3' => plain(data, count, most)?,
        b'4' => {
            let row = width_.div_ceil(8);
            let packed = data.get(..row * height_).ok_or(BadImage::Truncated(PNM))?;
            convert::unpack(packed, width_, height_, 1).into_iter().map(u16::from).collect()
        }
        _ => raw(data, count, most)?,
    };
    let mut noticed = Noticed::default();
    let pixels = match (bits, channels) {
        (true, _) => levels.into_iter().flat_map(|ink| [if ink == 0 { 255 } else { 0 }; 3]).collect(),
        (_, 1) if most > 255 => {
            let table = scaled(most, 65_535);
            let (grey, found) =
                convert::sixteen(levels.into_iter().map(|v| table[usize::from(v)]), grey16, 16);
            noticed = found;
            convert::grey(&grey, 1)
        }
        _ => {
            let table: Vec<u8> = scaled(most, 255).into_iter().map(|v| v as u8).collect();
            let samples: Vec<u8> = levels.into_iter().map(|v| table[usize::from(v)]).collect();
            if channels == 1 { convert::grey(&samples, 1) } else { samples }
        }
    };
    let part = Picture { width, height, pixels }.into();
    Ok(Stored { part, orientation: Orientation::UPRIGHT, noticed, share })
}

/// What each level of 0 to 65,535 becomes, of which `most` becomes `top`; higher ones do, too.
fn scaled(most: u32, top: u16) -> Vec<u16> {
    let scale = |level: u32| (f64::from(level) / f64::from(most) * f64::from(top)).round_ties_even();
    (0..=65_535).map(|level| scale(level).min(f64::from(top)) as u16).collect()
}

fn raw(data: &[u8], count: usize, most: u32) -> Result<Vec<u16>, BadImage> {
    let short = BadImage::Truncated(PNM);
    Ok(if most < 256 {
        data.get(..count).ok_or(short)?.iter().map(|&level| u16::from(level)).collect()
    } else {
        let pairs = data.get(..count * 2).ok_or(short)?.chunks_exact(2);
        pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    })
}

/// Digits 0 and 1, with or without space between them.
fn plain_bits(data: &[u8], count: usize) -> Result<Vec<u16>, BadImage> {
    let digits = without_comments(data).filter(|byte| !is_space(*byte)).take(count).map(|byte| match byte {
        b'0' | b'1' => Ok(u16::from(byte - b'0')),
        _ => Err(PNM.corrupt("a bit that is neither 0 nor 1")),
    });
    let bits: Vec<u16> = digits.collect::<Result<_, _>>()?;
    if bits.len() == count { Ok(bits) } else { Err(BadImage::Truncated(PNM)) }
}

/// Numbers with space between them.
fn plain(data: &[u8], count: usize, most: u32) -> Result<Vec<u16>, BadImage> {
    let mut levels = Vec::new();
    let mut token = Vec::with_capacity(DIGITS);
    for byte in without_comments(data).chain([b' ']) {
        if levels.len() == count {
            break;
        }
        if !is_space(byte) {
            token.push(byte);
            if token.len() > DIGITS {
                return Err(PNM.corrupt("a number of more than ten digits"));
            }
        } else if !token.is_empty() {
            let level = number(&token)?;
            if level > u64::from(most) {
                return Err(PNM.corrupt(format!("a level of {level}, above {most}")));
            }
            levels.push(level as u16);
            token.clear();
        }
    }
    if levels.len() == count { Ok(levels) } else { Err(BadImage::Truncated(PNM)) }
}

/// A comment goes to the end of its line, which it takes with it.
fn without_comments(data: &[u8]) -> impl Iterator<Item = u8> {
    let mut comment = false;
    data.iter().copied().filter(move |byte| {
        let within = comment || *byte == b'#';
        comment = within && !matches!(byte, b'\r' | b'\n');
        !within
    })
}

struct Header<'a> {
    rest: &'a [u8],
}

impl Header<'_> {
    /// The next number, and the one space behind it. A comment within a number is passed over, as Pillow does.
    fn number(&mut self) -> Result<u32, BadImage> {
        let mut token = Vec::new();
        while token.len() <= DIGITS {
            let Some((&byte, rest)) = self.rest.split_first() else { break };
            self.rest = rest;
            match byte {
                b'#' => {
                    let line = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                    self.rest = &rest[line.map_or(rest.len(), |at| at + 1)..];
                }
                byte if !is_space(byte) => token.push(byte),
                _ if token.is_empty() => {}
                _ => break,
            }
        }
        if token.is_empty() {
            return Err(BadImage::Truncated(PNM));
        }
        u32::try_from(number(&token)?).map_err(|_| PNM.corrupt("a number too large"))
    }
}

fn number(token: &[u8]) -> Result<u64, BadImage> {
    if token.len() > DIGITS || !token.iter().all(u8::is_ascii_digit) {
        return Err(PNM.corrupt("no number where one should be"));
    }
    Ok(token.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

/// Python's, and C's, white space.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reds(file: &[u8], grey16: Grey16) -> Result<(u32, u32, Vec<u8>, bool), BadImage> {
        let Stored { part, noticed, .. } = decode(file, grey16)?;
        let Picture { width, height, pixels } = part.into_picture();
        Ok((width, height, pixels.chunks(3).map(|p| p[0]).collect(), noticed.clipped))
    }

    /// File, size, levels of red, and whether any was clipped.
    type Case = (&'static [u8], (u32, u32), &'static [u8], bool);

    #[test]
    fn every_kind_has_pillows_values() {
        // np.asarray(Image.open(file).convert("RGB"))[..., 0], Pillow 13.
        let cases: [Case; 11] = [
            (b"P1 3 2\n101\n0 1#c\n0", (3, 2), &[0, 255, 0, 255, 0, 255], false),
            (b"P2\n# a comment\n3 1\n10\n0 5 10", (3, 1), &[0, 128, 255], false),
            (b"P2 2 1 255 12#x\n3 4\n", (2, 1), &[123, 4], false),
            (b"P3 1 1 3 1 2 3 ", (1, 1), &[85], false),
            (
                b"P4 9 2\n\xa0\x80\x00\x00",
                (9, 2),
                &[0, 255, 0, 255, 255, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255],
                false,
            ),
            (b"P5 2 1 255 \x07\xff", (2, 1), &[7, 255], false),
            (b"P5 3 1 100\n\x01\x32\x65", (3, 1), &[3, 128, 255], false),
            (b"P5 2 1 65535\n\x00\x07\x12\x34", (2, 1), &[7, 255], true),
            (b"P5 2 1 4095\n\x00\x07\x0f\xff", (2, 1), &[112, 255], true),
            (b"P6 1 1 255\n\x01\x02\x03", (1, 1), &[1], false),
            (b"P6 1 1 1023\n\x01\x00\x00\x00\x00\x00", (1, 1), &[64], false),
        ];
        for (file, (width, height), levels, clipped) in cases {
            let name = String::from_utf8_lossy(file);
            assert_eq!(reds(file, Grey16::Clip), Ok((width, height, levels.to_vec(), clipped)), "{name}");
        }
        let scaled = |file: &[u8]| reds(file, Grey16::Scale).unwrap();
        assert_eq!(scaled(b"P5 2 1 65535\n\x00\x07\x12\x34"), (2, 1, vec![0, 0x12], false));
        assert_eq!(scaled(b"P5 2 1 4095\n\x00\x07\x0f\xff"), (2, 1, vec![0, 255], false));
    }

    #[test]
    fn what_is_short_or_wrong_is_told() {
        let cases: [(&[u8], &str); 10] = [
            (b"P6 1 1 255\n\x01\x02", "truncated PNM"),
            (b"P5 2 1 4095\n\x00\x07\x0f", "truncated PNM"),
            (b"P2 2 1 255 1", "truncated PNM"),
            (b"P4 9 2\n\xa0\x80\x00", "truncated PNM"),
            (b"P5 2", "truncated PNM"),
            (b"P5 0 9 255\n", "the PNM header says 0×9 pixels"),
            (b"P5 2 1 70000\n\x00", "corrupt PNM: levels up to 70000, not 1 to 65535"),
            (b"P2 1 1 9 10 ", "corrupt PNM: a level of 10, above 9"),
            (b"P1 2 1\n12", "corrupt PNM: a bit that is neither 0 nor 1"),
            (b"P5 60000 60000 255\n", "more than the limit"),
        ];
        for (file, expected) in cases {
            let reason = reds(file, Grey16::Clip).unwrap_err().to_string();
            assert!(reason.contains(expected), "{}: {reason}", String::from_utf8_lossy(file));
        }
        assert!(matches!(reds(b"P5 9000 9000 255\nxxxx", Grey16::Clip), Err(BadImage::TooDense { .. })));
    }
}
