//! Whether a card's warpgroups are to be trusted with products.

use super::{
    Card, CardError, Launch, Queue,
    precision::Precision,
    products::{Layer, THREADS, Unit, row_tiles},
};

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

/// Channels in and out, and rows, of the product that is tried: several tiles and steps.
const SIDES: (usize, usize, usize) = (192, 192, 200);

/// Whether both make the same of a product, but for the order in which a step's products are summed up.
fn agree<C: Card>(card: &C, precision: Precision) -> Result<bool, CardError> {
    let (depth, outputs, rows) = SIDES;
    let layer = Layer {
        outputs,
        groups: 1,
        depth,
        kernel: 1,
        stride: 1,
        padding: 0,
        input: (1, rows),
        in_stride: depth,
        output: (1, rows),
        out_stride: outputs,
    };
    // Whole numbers and halves, whose products and sums f32 holds exactly.
    let number = |seed: usize| (seed.wrapping_mul(2_654_435_761) >> 7) % 17;
    let value = move |seed: usize| number(seed) as f32 / 2.0 - 4.0;
    let packed = layer.pack(precision, |output, channel, _, _| value(output * depth + channel));
    let mut seen = Vec::new();
    precision.encode((0..rows * depth).map(|at| value(at + 7)), &mut seen);
    let bias: Vec<f32> = (0..packed.tiles() * packed.columns).map(value).collect();
    let place = |bytes: &[u8]| {
        let memory = card.allocate(bytes.len())?;
        card.upload(bytes, &memory, 0)?;
        Ok::<_, CardError>(memory)
    };
    let (input, weights) = (place(&seen)?, place(&packed.weights)?);
    let (bias, pieces) = (place(bytemuck::cast_slice(&bias))?, place(bytemuck::cast_slice(&packed.pieces))?);
    let length = rows * outputs * size_of::<f32>();
    let out = card.allocate(length)?;
    let mut results = [Unit::Warp, Unit::Warpgroup].map(|_| Vec::new());
    for (unit, results) in [Unit::Warp, Unit::Warpgroup].into_iter().zip(&mut results) {
        let mut arguments = packed.arguments;
        (arguments.input, arguments.weights) = (card.address(&input), card.address(&weights));
        (arguments.bias, arguments.pieces) = (card.address(&bias), card.address(&pieces));
        (arguments.out, arguments.out_f32) = (card.address(&out), 1);
        arguments.rows = i32::try_from(rows).unwrap_or(0);
        card.launch(&Launch {
            kernel: &packed.kernel(precision, unit),
            blocks: [u32::try_from(row_tiles(rows) * packed.tiles()).unwrap_or(0), 1, 1],
            threads: THREADS,
            shared: u32::try_from(packed.shared()).unwrap_or(0),
            arguments: bytemuck::bytes_of(&arguments),
        })?;
        let mut staging = card.staging(length)?;
        card.copy_out(&out, &mut staging, length)?;
        card.finish(&card.event(Queue::Kernels)?)?;
        *results = staging.to_vec();
    }
    Ok(results[0] == results[1])
}
