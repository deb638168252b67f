//! JPEG XL, by libjxl's own decoder in Rust, without its vectors. Its floats are the same on every processor with one C
//! library, whose `powf` it calls. libjxl dithers what is not lossless, and this rounds: they differ by up to one level.

use super::{Stored, convert, orientation::Orientation, share::admit};
use crate::Noticed;
use crate::image::{BadImage, Format, MAX_PIXELS, Picture};
use jxl::{
    api::{
        Event, ExtraChannel, JxlColorType, JxlDataFormat, JxlDecoder, JxlDecoderOptions, JxlOutputBuffer,
        JxlParallelRunner, JxlParallelRunnerFun, JxlPixelFormat, ProfileLevel,
    },
    error::Error,
};

const JXL: Format = Format::Jxl;
/// Bytes a pixel: what is given, and a frame's numbers as integers or floats where a file needs them all at once.
const WORKSPACE: u64 = 24;
/// Channels that a file may have beside its colours.
const EXTRAS: usize = 4;
/// Pixels that a frame behind the picture may have, also of a small picture.
const SMALL: usize = 1 << 16;
/// The side of the smallest part that a frame is coded in.
const PART: usize = 128;

/// The first frame, upright. Other channels than its colours, such as alpha, are dropped.
pub(super) fn decode(bytes: &[u8]) -> Result<Stored, BadImage> {
    let whole = usize::try_from(MAX_PIXELS).unwrap_or(usize::MAX).saturating_mul(3 + EXTRAS);
    let (header, _) = open(bytes, whole)?;
    let info = header.basic_info().ok_or_else(|| JXL.corrupt("no header"))?;
    let ((columns, rows), others) = (info.size, info.extra_channels.len());
    let (width, height) = (side(columns)?, side(rows)?);
    let share = admit(JXL, (width, height), WORKSPACE, bytes)?;
    if info.extra_channels.iter().any(|channel| channel.ec_type == ExtraChannel::Black) {
        return Err(JXL.unsupported("CMYK"));
    }
    if others > EXTRAS {
        return Err(JXL.unsupported(format!("{others} channels beside its colours")));
    }

    // Again from the start, with no larger frames behind the picture than the picture itself.
    let (mut decoder, mut rest) = open(bytes, 2 * (columns * rows).max(SMALL) * (3 + others))?;
    let grey = decoder.current_pixel_format().is_some_and(|format| format.color_type.is_grayscale());
    let format = JxlPixelFormat {
        color_type: if grey { JxlColorType::Grayscale } else { JxlColorType::Rgb },
        color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
        extra_channel_format: vec![None; others],
    };
    decoder.set_pixel_format(format).map_err(|error| bad(&error))?;
    let row = if grey { columns } else { 3 * columns };
    let mut pixels = vec![0; rows * row];
    let mut work = Work::of(columns, rows);
    loop {
        let mut buffer = [JxlOutputBuffer::new(&mut pixels, rows, row)];
        match decoder.process(&mut rest, Some(&mut buffer), Some(&mut work)).map_err(|error| bad(&error))? {
            Event::NeedMoreInput { .. } => return Err(BadImage::Truncated(JXL)),
            Event::BasicInfo | Event::FrameHeader => {}
            Event::FrameComplete { .. } => break,
            Event::Complete => return Err(JXL.corrupt("no picture")),
        }
    }
    let pixels = if grey { convert::grey(&pixels, 1) } else { pixels };
    let part = Picture { width, height, pixels }.into();
    Ok(Stored { part, orientation: Orientation::UPRIGHT, noticed: Noticed::default(), share })
}

/// A decoder that has read the header, for frames of less than so many numbers, and the bytes behind it.
fn open(bytes: &[u8], samples: usize) -> Result<(JxlDecoder, &[u8]), BadImage> {
    let mut options = JxlDecoderOptions::default();
    options.sample_limit = Some(samples);
    options.max_profile_level = ProfileLevel::Main10;
    let (mut decoder, mut rest) = (JxlDecoder::new(options), bytes);
    match decoder.process(&mut rest, None, None).map_err(|error| bad(&error))? {
        Event::BasicInfo => Ok((decoder, rest)),
        _ => Err(BadImage::Truncated(JXL)),
    }
}

/// Parts of frames that may still be decoded, on this thread. Of frames that are not seen a file may have any number.
struct Work(usize);

impl Work {
    /// For a picture of that size: of 64 frames, in twelve passes each.
    fn of(columns: usize, rows: usize) -> Work {
        Work(64 * (12 * columns.div_ceil(PART) * rows.div_ceil(PART) + 16))
    }
}

impl JxlParallelRunner for Work {
    fn run(&mut self, parts: usize, decode: &JxlParallelRunnerFun<'_>) -> Result<(), Error> {
        self.0 =
            self.0.checked_sub(parts).ok_or(Error::ApiUsageError("too many frames behind the picture"))?;
        (0..parts).try_for_each(decode)
    }

    fn num_threads(&self) -> usize {
        1
    }

    fn run_ordered(
        &mut self,
        parts: usize,
        _most_threads: Option<usize>,
        decode: &JxlParallelRunnerFun<'_>,
    ) -> Result<(), Error> {
        self.run(parts, decode)
    }
}

fn side(pixels: usize) -> Result<u32, BadImage> {
    u32::try_from(pixels).map_err(|_| JXL.corrupt(format!("a side of {pixels} pixels")))
}

/// The decoder's words as ours.
fn bad(error: &Error) -> BadImage {
    match error {
        &Error::ImageSizeTooLarge(width, height) => match JXL.check_size(width as u64, height as u64) {
            Err(reason) => reason,
            Ok(()) => JXL.unsupported(format!("a frame of {width}×{height} pixels behind the picture")),
        },
        Error::LevelLimitExceeded { .. } => JXL.unsupported(error),
        error => JXL.corrupt(error),
    }
}
