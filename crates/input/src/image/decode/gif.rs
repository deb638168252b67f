//! GIF: the first frame, on the canvas that Pillow paints it on.

use super::{
    Stored, convert,
    orientation::Orientation,
    share::{check_density, set_aside},
};
use crate::Noticed;
use crate::image::{BadImage, Format, MAX_PIXELS, Picture};
use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};
use std::{io::ErrorKind, num::NonZeroU64};

pub(super) fn decode(bytes: &[u8]) -> Result<Stored, BadImage> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    // A frame may reach beyond the screen: Pillow then grows the canvas.
    options.check_frame_consistency(false);
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::new(MAX_PIXELS).unwrap_or(NonZeroU64::MIN)));
    let mut decoder = options.read_info(bytes).map_err(bad)?;
    let (screen_width, screen_height) = (decoder.width(), decoder.height());
    let Some(frame) = decoder.next_frame_info().map_err(bad)? else {
        return Err(Format::Gif.corrupt("no frame"));
    };
    let (left, top) = (u32::from(frame.left), u32::from(frame.top));
    let (frame_width, frame_height) = (u32::from(frame.width), u32::from(frame.height));
    // The canvas starts as the transparent index, else as index 0.
    let background = frame.transparent.unwrap_or(0);
    let width = u32::from(screen_width).max(left + frame_width);
    let height = u32::from(screen_height).max(top + frame_height);
    // The canvas is not in the file.
    check_density(Format::Gif, (frame_width, frame_height), bytes)?;
    // Frame, canvas and colours.
    let share = set_aside(Format::Gif, (width, height), 5)?;

    let mut indices = vec![0; frame_width as usize * frame_height as usize];
    decoder.read_into_buffer(&mut indices).map_err(bad)?;
    let mut canvas = vec![background; width as usize * height as usize];
    let rows = canvas.chunks_exact_mut(width as usize).skip(top as usize);
    for (row, pixels) in rows.zip(indices.chunks_exact(frame_width as usize)) {
        row[left as usize..][..frame_width as usize].copy_from_slice(pixels);
    }
    let pixels = match decoder.palette() {
        Ok(palette) => convert::indexed(&canvas, palette),
        // Neither a global nor a local palette: indices are grey levels.
        Err(_) => convert::grey(&canvas, 1),
    };
    let part = Picture { width, height, pixels }.into();
    Ok(Stored { part, orientation: Orientation::UPRIGHT, noticed: Noticed::default(), share })
}

fn bad(error: DecodingError) -> BadImage {
    match error {
        DecodingError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            BadImage::Truncated(Format::Gif)
        }
        error => Format::Gif.corrupt(error),
    }
}
