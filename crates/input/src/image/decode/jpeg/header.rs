//! What stands before the compressed data of an ordinary JPEG.

use super::{
    bits::Segments,
    huffman::{Code, Coefficients, Differences},
};

/// An ordinary JPEG: baseline or extended sequential Huffman, 8 bits, grey or YCbCr, one scan of all its components.
pub(super) struct Header<'a> {
    /// Columns and rows of pixels.
    pub(super) size: (usize, usize),
    /// Y alone, or Y, Cb, Cr.
    pub(super) components: Vec<Component>,
    /// MCUs between two restarts; 0 for none.
    pub(super) restart: usize,
    /// The payloads of APP1 segments: EXIF and XMP.
    pub(super) app1: Vec<&'a [u8]>,
    pub(super) data: Segments,
}

/// A plane of a JPEG.
pub(super) struct Component {
    /// Blocks an MCU, across and down.
    pub(super) blocks: (usize, usize),
    /// What coefficients are multiplied by, in zigzag order.
    pub(super) quantization: [i32; 64],
    pub(super) dc: Differences,
    pub(super) ac: Coefficients,
}

/// libjpeg goes no further.
const MAX_SIDE: usize = 65_500;

impl<'a> Header<'a> {
    /// `None` for whatever is not ordinary, broken files included: what those come to is for libjpeg to say.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Header<'a>> {
        let mut tables = Tables::default();
        let mut frame = None;
        let mut app1 = Vec::new();
        let (mut jfif, mut adobe) = (false, None);
        let mut at = 2;
        loop {
            let [0xFF, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let segment = bytes.get(at + 4..at + 2 + length)?;
            at += 2 + length;
            match marker {
                0xC0 | 0xC1 if frame.is_none() => frame = Some(Frame::read(segment)?),
                0xC4 => tables.read_codes(segment)?,
                0xDB => tables.read_quantization(segment)?,
                0xDD => tables.restart = usize::from(u16::from_be_bytes(segment.try_into().ok()?)),
                0xDA => {
                    let (size, planes) = frame?.check(segment)?;
                    let ycc = jfif || adobe.map_or(planes.iter().map(|p| p.id).eq([1, 2, 3]), |t| t == 1);
                    if planes.len() == 3 && !ycc {
                        return None;
                    }
                    let components =
                        planes.iter().map(|plane| tables.component(plane)).collect::<Option<_>>()?;
                    let data = Segments::new(bytes.get(at..)?)?;
                    return Some(Header { size, components, restart: tables.restart, app1, data });
                }
                0xE0 => jfif |= segment.len() >= 14 && segment.starts_with(b"JFIF\0"),
                0xE1 => app1.push(segment),
                0xEE if segment.len() >= 12 && segment.starts_with(b"Adobe") => adobe = Some(segment[11]),
                0xE2..=0xEF | 0xFE => {}
                _ => return None,
            }
        }
    }
}

/// What is said of a component before its tables are known.
struct Plane {
    id: u8,
    blocks: (usize, usize),
    quantization: u8,
    /// The tables' numbers: DC, AC.
    codes: (u8, u8),
}

struct Frame {
    size: (usize, usize),
    planes: Vec<Plane>,
}

impl Frame {
    fn read(segment: &[u8]) -> Option<Frame> {
        let [8, h1, h0, w1, w0, count @ (1 | 3), planes @ ..] = segment else { return None };
        let size = (usize::from(u16::from_be_bytes([*w1, *w0])), usize::from(u16::from_be_bytes([*h1, *h0])));
        if !(1..=MAX_SIDE).contains(&size.0)
            || !(1..=MAX_SIDE).contains(&size.1)
            || planes.len() != usize::from(*count) * 3
        {
            return None;
        }
        let plane = |p: &[u8]| Plane {
            id: p[0],
            blocks: (usize::from(p[1] >> 4), usize::from(p[1] & 15)),
            quantization: p[2],
            codes: (0, 0),
        };
        let mut planes: Vec<Plane> = planes.chunks_exact(3).map(plane).collect();
        let known = match &mut planes[..] {
            // A scan of one component goes block by block, whatever its sampling says.
            [grey] => {
                let sane = (1..=4).contains(&grey.blocks.0) && (1..=4).contains(&grey.blocks.1);
                grey.blocks = (1, 1);
                sane
            }
            [y, cb, cr] => {
                matches!(y.blocks, (1, 1) | (2, 1) | (2, 2))
                    && cb.blocks == (1, 1)
                    && cr.blocks == (1, 1)
                    && y.id != cb.id
                    && y.id != cr.id
                    && cb.id != cr.id
            }
            _ => false,
        };
        known.then_some(Frame { size, planes })
    }

    /// With the scan's choice of tables; `None` unless it has all components, in order, and all coefficients.
    fn check(mut self, scan: &[u8]) -> Option<((usize, usize), Vec<Plane>)> {
        let (count, rest) = scan.split_first()?;
        let (choices, [0, 63, 0]) = rest.split_at_checked(usize::from(*count) * 2)? else { return None };
        if usize::from(*count) != self.planes.len() {
            return None;
        }
        for (plane, choice) in self.planes.iter_mut().zip(choices.chunks_exact(2)) {
            if plane.id != choice[0] {
                return None;
            }
            plane.codes = (choice[1] >> 4, choice[1] & 15);
        }
        Some((self.size, self.planes))
    }
}

/// The tables that are in force, by their numbers.
#[derive(Default)]
struct Tables {
    quantization: [Option<[i32; 64]>; 4],
    dc: [Option<Code>; 4],
    ac: [Option<Code>; 4],
    restart: usize,
}

impl Tables {
    fn read_quantization(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((number, rest)) = segment.split_first() {
            // Tables of 16 bits have a high nibble, and so no place.
            let place = self.quantization.get_mut(usize::from(*number))?;
            let (values, rest) = rest.split_first_chunk::<64>()?;
            *place = Some(values.map(i32::from));
            segment = rest;
        }
        Some(())
    }

    fn read_codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((number, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().copied().map(usize::from).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let code = Code::new(*counts, symbols)?;
            let table = if number >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *table.get_mut(usize::from(if number >> 4 <= 1 { number & 15 } else { u8::MAX }))? = Some(code);
            segment = rest;
        }
        Some(())
    }

    fn component(&self, plane: &Plane) -> Option<Component> {
        let dc = self.dc.get(usize::from(plane.codes.0))?.as_ref()?;
        let ac = self.ac.get(usize::from(plane.codes.1))?.as_ref()?;
        Some(Component {
            blocks: plane.blocks,
            quantization: (*self.quantization.get(usize::from(plane.quantization))?)?,
            dc: dc.is_below(16).then(|| Differences::new(dc))?,
            ac: Coefficients::new(ac),
        })
    }
}
