//! JPEG XL, by libjxl's own decoder in Rust, without its vectors: what it makes of floats is the same on every processor, given
//! one C library, whose powers it takes. What is not lossless differs from libjxl's 8 bits by up to one level, since libjxl
//! dithers those and this rounds.

use super::{Stored, convert, orientation::Orientation, share::admit};
use crate::Noticed;
use crate::image::{BadImage, Format, MAX_PIXELS, Picture};
use jxl::api::{
    Event, JxlColorType, JxlDataFormat, JxlDecoder, JxlDecoderOptions, JxlOutputBuffer, JxlPixelFormat,
};

const JXL: Format = Format::Jxl;
/// Bytes a pixel that the decoder may take: three channels as floats, in several frames that others refer to.
const WORKSPACE: u64 = 64;
/// Channels that a file may have beside its colours.
const EXTRAS: usize = 4;

/// The first frame, upright. Other channels than its colours, such as alpha, are dropped.
pub(super) fn decode(bytes: &[u8]) -> Result<Stored, BadImage> {
    let mut options = JxlDecoderOptions::default();
    options.sample_limit = usize::try_from(MAX_PIXELS).ok().map(|pixels| pixels.saturating_mul(3 + EXTRAS));
    let mut decoder = JxlDecoder::new(options);
    let mut rest = bytes;
    let mut pixels: Vec<u8> = Vec::new();
    let mut found = None;
    loop {
        let (_, height, row) = found.as_ref().map_or((0, 0, 0), |(size, _, _)| *size);
        let mut buffer = (row > 0).then(|| [JxlOutputBuffer::new(&mut pixels, height, row)]);
        let buffer = buffer.as_mut().map(|buffer| &mut buffer[..]);
        match decoder.process(&mut rest, buffer, None).map_err(|error| JXL.corrupt(error))? {
            Event::NeedMoreInput { .. } => return Err(BadImage::Truncated(JXL)),
            Event::BasicInfo => {
                let info = decoder.basic_info().ok_or_else(|| JXL.corrupt("no header"))?;
                let (width, height) = info.size;
                let others = info.extra_channels.len();
                let sides = (side(width)?, side(height)?);
                let share = admit(JXL, sides, WORKSPACE, bytes)?;
                if others > EXTRAS {
                    return Err(JXL.unsupported(format!("{others} channels beside its colours")));
                }
                let grey = decoder.embedded_color_profile().is_some_and(|profile| profile.channels() == 1);
                let format = JxlPixelFormat {
                    color_type: if grey { JxlColorType::Grayscale } else { JxlColorType::Rgb },
                    color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
                    extra_channel_format: vec![None; others],
                };
                decoder.set_pixel_format(format).map_err(|error| JXL.corrupt(error))?;
                let row = if grey { width } else { 3 * width };
                pixels = vec![0; height * row];
                found = Some(((width, height, row), sides, share));
            }
            Event::FrameHeader => {}
            Event::FrameComplete { .. } | Event::Complete => break,
        }
    }
    let Some(((columns, _, row), (width, height), share)) = found else {
        return Err(JXL.corrupt("no picture"));
    };
    let pixels = if row == columns { convert::grey(&pixels, 1) } else { pixels };
    let part = Picture { width, height, pixels }.into();
    Ok(Stored { part, orientation: Orientation::UPRIGHT, noticed: Noticed::default(), share })
}

fn side(pixels: usize) -> Result<u32, BadImage> {
    u32::try_from(pixels).map_err(|_| JXL.corrupt(format!("a side of {pixels} pixels")))
}
