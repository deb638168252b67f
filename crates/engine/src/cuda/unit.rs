//! Whether a card's warpgroups are to be trusted with products.

use super::{
    Card, CardError, Launch, Queue,
    products::{Layer, THREADS, Unit, row_tiles, whole},
};
use crate::Precision;
use network::Window;

impl Unit {
    /// Warpgroups, where the card has them and they give what warps give, which is tried here; else warps.
    ///
    /// # Errors
    /// Where the driver fails.
    pub fn best<C: Card>(card: &C, precision: Precision) -> Result<Unit, CardError> {
        let is_hopper = card.description().capability == (9, 0) && precision.bytes() == 2;
        Ok(if is_hopper && agree(card, precision)? { Unit::Warpgroup } else { Unit::Warp })
    }
}

/// Channels in and out of the products that are tried: tiles of 64 and of 128 columns, several of them, several steps.
const SIDES: [(usize, usize); 2] = [(192, 192), (320, 320)];
/// Rows of each: two tiles, the second in part.
const TRIED: usize = 200;

/// Whether both make the same of some products.
fn agree<C: Card>(card: &C, precision: Precision) -> Result<bool, CardError> {
    for (depth, outputs) in SIDES {
        let warps = product(card, precision, Unit::Warp, (depth, outputs))?;
        if warps != product(card, precision, Unit::Warpgroup, (depth, outputs))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The bytes of a product.
fn product<C: Card>(
    card: &C,
    precision: Precision,
    unit: Unit,
    (depth, outputs): (usize, usize),
) -> Result<Vec<u8>, CardError> {
    let layer = Layer {
        outputs,
        groups: 1,
        depth,
        window: Window::PLACE,
        input: (1, TRIED),
        in_stride: depth,
        output: (1, TRIED),
        out_stride: outputs,
    };
    // Halves of whole numbers, whose products and sums f32 holds exactly, in whatever order they are summed up.
    let value = |seed: usize| ((seed.wrapping_mul(2_654_435_761) >> 7) % 17) as f32 / 2.0 - 4.0;
    let packed = layer.pack(precision, |output, channel, _, _| value(output * depth + channel));
    let mut seen = Vec::new();
    precision.encode((0..TRIED * depth).map(|at| value(at + 7)), &mut seen);
    let bias: Vec<f32> = (0..packed.tiles() * packed.columns).map(value).collect();
    let place = |bytes: &[u8]| {
        let memory = card.allocate(bytes.len())?;
        card.upload(bytes, &memory, 0)?;
        Ok::<_, CardError>(memory)
    };
    let (input, weights) = (place(&seen)?, place(&packed.weights)?);
    let (bias, pieces) = (place(bytemuck::cast_slice(&bias))?, place(bytemuck::cast_slice(&packed.pieces))?);
    // Numbers that are none, so that what is not written shows.
    let length = TRIED * outputs * size_of::<f32>();
    let out = place(&vec![0xff; length])?;
    let mut arguments = packed.arguments;
    (arguments.input, arguments.weights) = (card.address(&input), card.address(&weights));
    (arguments.bias, arguments.pieces) = (card.address(&bias), card.address(&pieces));
    (arguments.out, arguments.out_f32) = (card.address(&out), 1);
    arguments.rows = whole(TRIED);
    card.launch(&Launch {
        kernel: &packed.kernel(precision, unit),
        blocks: [u32::try_from(row_tiles(TRIED) * packed.tiles()).unwrap_or(0), 1, 1],
        threads: THREADS,
        shared: u32::try_from(packed.shared()).unwrap_or(0),
        arguments: bytemuck::bytes_of(&arguments),
    })?;
    let mut staging = card.staging(length)?;
    card.copy_out(&out, &mut staging, length)?;
    card.finish(&card.event(Queue::Kernels)?)?;
    Ok(staging[..length].to_vec())
}
