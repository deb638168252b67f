//! A decoded picture: what every format comes out as.

/// RGB, 8 bits a channel, upright.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// pixels: (height, width, 3) bytes, red first.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// A picture whose pixel at column x and row y is `at(x, y)`.
    pub fn from_fn(width: u32, height: u32, mut at: impl FnMut(u32, u32) -> [u8; 3]) -> Picture {
        let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            for x in 0..width {
                pixels.extend_from_slice(&at(x, y));
            }
        }
        Picture { width, height, pixels }
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}
