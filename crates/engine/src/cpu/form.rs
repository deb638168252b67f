//! How the numbers of a map lie in memory: as they are, or as their nearest bf16.

use super::{
    gemm::Lane,
    parallel::Shared,
    simd::{LANES, Simd},
};

/// How the numbers of a map lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Numbers,
    /// As the [pairs](super::pairs) that products read, half as long.
    Pairs,
}

impl Form {
    /// Blocks of numbers that so many blocks of memory hold.
    pub(crate) fn holds(self, lanes: usize) -> usize {
        if self == Form::Pairs { 2 * lanes } else { lanes }
    }
}

/// Where a map is written. Places are counted in numbers.
#[derive(Clone, Copy)]
pub(crate) struct Out {
    first: Shared,
    pub(crate) form: Form,
}

impl Out {
    pub(crate) fn of(lanes: &mut [Lane], form: Form) -> Out {
        Out { first: Shared::writing(lanes), form }
    }

    /// From a pointer on, which whoever writes follows.
    pub(crate) fn at(first: Shared, form: Form) -> Out {
        Out { first, form }
    }

    /// Numbers as they are.
    pub(crate) fn numbers(first: *mut f32) -> Out {
        Out { first: Shared::at(first), form: Form::Numbers }
    }

    /// So many numbers further on.
    #[inline(always)]
    pub(crate) fn skip(self, numbers: usize) -> Out {
        Out { first: Shared::at(self.place(numbers)), ..self }
    }

    /// Where a number lies.
    #[inline(always)]
    pub(crate) fn place(self, number: usize) -> *mut f32 {
        let first = self.first.get();
        match self.form {
            Form::Numbers => first.wrapping_add(number),
            Form::Pairs => first.cast::<u16>().wrapping_add(number).cast(),
        }
    }

    /// Writes a block.
    ///
    /// # Safety
    /// The processor has `S`; the block is there, and nobody else's.
    #[inline(always)]
    pub(crate) unsafe fn put<S: Simd>(self, number: usize, v: S::V) {
        // SAFETY: the caller's promises.
        unsafe {
            match self.form {
                Form::Numbers => S::store(self.place(number), v),
                Form::Pairs => S::narrow(self.place(number).cast(), v),
            }
        }
    }

    /// Writes the first numbers of a block.
    ///
    /// # Safety
    /// As [`Out::put`], of these numbers.
    #[inline(always)]
    pub(crate) unsafe fn put_some<S: Simd>(self, number: usize, v: S::V, count: usize) {
        let mut lane = Lane::default();
        // SAFETY: the caller's promises; a block is as long as any form of it.
        unsafe {
            let all = Out { first: Shared::at(lane.0.as_mut_ptr()), ..self };
            all.put::<S>(0, v);
            let bytes = if self.form == Form::Pairs { 2 } else { 4 };
            let from = lane.0.as_ptr().cast::<u8>();
            from.copy_to_nonoverlapping(self.place(number).cast(), count.min(LANES) * bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Precision, cpu::compile::compile};
    use network::{Builder, Conv};
    use weights::{Bound, Tensor};

    #[test]
    fn what_products_of_pairs_alone_read_lies_as_pairs() {
        let forms = |side: usize, channels: usize| {
            let mut net = Builder::image();
            let input = net.input();
            // Read by a product, and added to another's sums.
            let first = net.conv("first", input, Conv::new(channels, 1));
            let second = net.conv("second", first, Conv::new(channels, 1));
            let gelu = net.activation("gelu", second, network::Activation::Gelu);
            let third = net.conv("third", gelu, Conv::new(channels, 1));
            let sum = net.add("sum", first, third);
            let norm = net.layer_norm("norm", sum, 1e-6);
            // Winograd's is a product of numbers.
            let wide = net.conv("wide", norm, Conv::new(channels, 3));
            let last = net.conv("last", wide, Conv::new(channels, 1));
            let network = net.finish("forms", last);
            let ones = |param: &network::Param| {
                Some(Tensor { shape: param.shape.clone(), data: vec![1.0; param.shape.iter().product()] })
            };
            let bound = Bound::from_tensors(network, "ones", ones).expect("every parameter is there");
            let plan = compile(bound, (side, side), Precision::Bf16).expect("it works at this size");
            let form = |name: &str| {
                let step = plan.steps_in_order().iter().find(|step| step.name == name).expect("a step");
                plan.value_at(step.to).form
            };
            ["first", "second", "third", "norm", "wide", "last"].map(form)
        };
        let (numbers, pairs) = (Form::Numbers, Form::Pairs);
        assert_eq!(forms(14, 32), [numbers, pairs, numbers, numbers, pairs, numbers]);
        // Lines would not be whole blocks.
        assert_eq!(forms(15, 16), [numbers; 6]);
    }
}
