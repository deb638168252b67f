//! A decoded picture, or as much of it as was wanted.

use super::{jpeg::Ycc, share::Share};
use crate::Noticed;
use crate::image::Picture;
use std::{borrow::Cow, ops::Range};

/// What will be looked at of a picture.
pub(crate) struct Wanted {
    /// 8 for the picture as it is; 4, 2 or 1 where so many eighths of its sides will do. Only JPEGs can be had smaller.
    pub(crate) eighths: u32,
    /// Which columns and rows of the picture, after that scaling.
    pub(crate) columns: Range<u32>,
    /// See `columns`.
    pub(crate) rows: Range<u32>,
}

/// At least what was [`Wanted`] of a picture.
pub(crate) struct Part<'a> {
    /// Width and height of all of it.
    pub(crate) whole: (u32, u32),
    /// What was noticed while it was decoded.
    pub(crate) noticed: Noticed,
    share: Option<Share>,
    pixels: Pixels<'a>,
}

enum Pixels<'a> {
    Whole(Cow<'a, Picture>),
    /// Still planes: pixels are made as they are read, which spares memory its slowest way.
    Planes(Ycc),
}

impl<'a> Part<'a> {
    pub(crate) fn of(picture: &'a Picture) -> Part<'a> {
        Part::new((picture.width, picture.height), Pixels::Whole(Cow::Borrowed(picture)))
    }

    pub(super) fn of_planes(whole: (u32, u32), planes: Ycc) -> Part<'a> {
        Part::new(whole, Pixels::Planes(planes))
    }

    fn new(whole: (u32, u32), pixels: Pixels<'a>) -> Part<'a> {
        Part { whole, noticed: Noticed::default(), share: None, pixels }
    }

    /// With what was noticed, and the memory that was set aside for it.
    pub(super) fn with(self, noticed: Noticed, share: Share) -> Part<'a> {
        Part { noticed, share: Some(share), ..self }
    }

    /// Writes some columns of some rows, which begin `apart` bytes from one another.
    pub(crate) fn read(&self, columns: &Range<usize>, rows: Range<usize>, out: &mut [u8], apart: usize) {
        match &self.pixels {
            Pixels::Planes(planes) => planes.read(columns, rows, out, apart),
            Pixels::Whole(picture) => {
                let stride = picture.width as usize * 3;
                let source = picture.pixels[rows.start * stride..rows.end * stride].chunks_exact(stride);
                for (out, row) in out.chunks_mut(apart).zip(source) {
                    out[..columns.len() * 3].copy_from_slice(&row[columns.start * 3..columns.end * 3]);
                }
            }
        }
    }

    /// Some columns of some rows: (rows, columns, 3) bytes.
    pub(crate) fn cut(&self, columns: &Range<usize>, rows: Range<usize>) -> Vec<u8> {
        let stride = columns.len() * 3;
        let mut pixels = vec![0; rows.len() * stride];
        if stride > 0 {
            self.read(columns, rows, &mut pixels, stride);
        }
        pixels
    }

    /// All of it, if all was wanted.
    pub(crate) fn into_picture(self) -> Picture {
        self.into_parts().0
    }

    /// The same, and its share of memory.
    pub(crate) fn into_parts(mut self) -> (Picture, Option<Share>) {
        let share = self.share.take();
        (self.pixels(), share)
    }

    fn pixels(self) -> Picture {
        let (width, height) = self.whole;
        match self.pixels {
            Pixels::Whole(picture) => picture.into_owned(),
            Pixels::Planes(_) => {
                let pixels = self.cut(&(0..width as usize), 0..height as usize);
                Picture { width, height, pixels }
            }
        }
    }
}

impl From<Picture> for Part<'_> {
    fn from(picture: Picture) -> Self {
        Part::new((picture.width, picture.height), Pixels::Whole(Cow::Owned(picture)))
    }
}
