//! What runs a network, whichever way it does, and what all of them do with pictures.

use crate::EngineError;
use input::{
    Batch, Recipe,
    image::{Channels, Preprocessing},
};
use network::Network;

/// A network that is ready to run on inputs that were made by one recipe.
pub trait Executor {
    /// What names it in artefacts: everything of it that bits depend on.
    fn revision(&self) -> &str;

    /// d of every output.
    fn widths(&self) -> &[usize];

    /// Gives one (n, d) matrix for every output of the network. What runs on the processor does so on the threads of the
    /// current rayon pool.
    ///
    /// # Errors
    /// Where the batch is not of the recipe, memory is short, or a card fails.
    fn run(&mut self, batch: Batch<'_>) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// What becomes of bytes, as numbers that a network is fed.
pub(crate) struct Normalisation {
    tables: [[f32; 256]; 3],
    /// The byte of a pixel that each channel of the network is made of.
    order: [usize; 3],
}

impl Normalisation {
    pub(crate) fn of(how: &Preprocessing) -> Normalisation {
        let order = match how.channels {
            Channels::Rgb => [0, 1, 2],
            Channels::Bgr => [2, 1, 0],
        };
        Normalisation { tables: how.tables(), order }
    }

    /// bytes: (3,) RGB; out: its first three numbers, in the network's order.
    #[inline]
    pub(crate) fn pixel(&self, bytes: &[u8], out: &mut [f32]) {
        let out = &mut out[..3];
        for channel in 0..3 {
            out[channel] = self.tables[channel][usize::from(bytes[self.order[channel]])];
        }
    }

    /// (h, w, 3) RGB bytes to (3, h, w) numbers, in the network's order.
    pub(crate) fn planes(&self, pixels: &[u8]) -> Vec<f32> {
        let plane = |(table, from): (&[f32; 256], usize)| {
            let values: Vec<f32> =
                pixels.as_chunks::<3>().0.iter().map(|rgb| table[usize::from(rgb[from])]).collect();
            values
        };
        self.tables.iter().zip(self.order).flat_map(plane).collect()
    }
}

/// How pictures are prepared, and their height and width then.
pub(crate) fn pictures_of<'a>(
    network: &str,
    recipe: &'a Recipe,
) -> Result<(&'a Preprocessing, (usize, usize)), EngineError> {
    match recipe {
        Recipe::Image(how) => {
            let (height, width) = how.output_size().ok_or(EngineError::VaryingSize)?;
            Ok((how, (height as usize, width as usize)))
        }
        Recipe::Text(_) => {
            Err(EngineError::OtherContent { network: network.to_owned(), reads: "pictures", made: "texts" })
        }
    }
}

/// (n, h, w, 3) RGB bytes of a batch of pictures.
///
/// # Panics
/// Where one of them is of another size than the others.
pub(crate) fn pixels_of<'a>(
    batch: Batch<'a>,
    (height, width): (usize, usize),
) -> Result<&'a [u8], EngineError> {
    check_length(batch.len(), [height, width, 3], batch.bytes().len())?;
    assert!(batch.is_of(height * width * 3), "prepared pictures are of one size");
    Ok(batch.bytes())
}

/// Refuses networks that look at something else than pictures in colour.
pub(crate) fn check_channels(network: &Network) -> Result<(), EngineError> {
    if network.nodes().iter().any(|node| matches!(node.op, network::Op::Given { .. })) {
        return Err(EngineError::Given { network: network.name().to_owned() });
    }
    let channels = network.nodes().iter().filter_map(|node| match node.op {
        network::Op::Input { channels } if channels != 3 => Some(channels),
        _ => None,
    });
    match channels.min() {
        Some(channels) => Err(EngineError::Channels { network: network.name().to_owned(), channels }),
        None => Ok(()),
    }
}

/// Refuses what is not as long as `n` pictures of these sides.
pub(crate) fn check_length(n: usize, sides: [usize; 3], got: usize) -> Result<(), EngineError> {
    let expected = sides.into_iter().fold(n, usize::saturating_mul);
    if expected == got { Ok(()) } else { Err(EngineError::InputLength { samples: n, expected, got }) }
}
