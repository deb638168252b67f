//! Where the values of a plan lie: buffers that several of them share, one after the other.

use super::{form::Form, gemm::Lane, parallel::Shared};
use crate::texts::Texts;
use std::{marker::PhantomData, ops::Range};

/// Of what there is one, where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Each {
    /// Picture, or text.
    Sample,
    /// Token of a text.
    Token,
}

/// What flows between steps: pixels of some blocks, for every picture; or some blocks, for every token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    pub(crate) height: usize,
    pub(crate) pixels: usize,
    pub(crate) blocks: usize,
    pub(crate) form: Form,
    /// Blocks of memory of one picture, or token.
    pub(crate) lanes: usize,
    pub(crate) each: Each,
    pub(crate) home: Home,
}

/// Where a value lies: in which buffer of which kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Home {
    /// Beside those of the other pictures.
    Shared(usize),
    /// In the memory of whoever takes one picture through the first steps.
    Own(usize),
    /// In strips, within a chain; or nowhere yet.
    Nowhere,
}

/// Buffers of some pictures.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Vec<Vec<Lane>>);

impl Buffers {
    /// Of these sizes for n pictures; `None` where memory is short.
    fn new(sizes: &[usize], n: usize) -> Option<Buffers> {
        // Asked for once in one piece: a system that promises every piece may refuse the whole.
        let whole =
            sizes.iter().try_fold(0_usize, |sum, lanes| sum.checked_add(lanes.checked_mul(n)? + PAGE))?;
        Vec::<Lane>::new().try_reserve_exact(whole).ok()?;
        let buffer = |lanes: &usize| {
            let mut buffer = Vec::new();
            buffer.try_reserve_exact(lanes * n + PAGE).ok()?;
            buffer.resize(lanes * n + PAGE, Lane::default());
            Some(buffer)
        };
        sizes.iter().map(buffer).collect::<Option<_>>().map(Buffers)
    }

    fn fits(&self, sizes: &[usize], n: usize) -> bool {
        self.0.len() == sizes.len()
            && self.0.iter().zip(sizes).all(|(buffer, lanes)| buffer.len() >= lanes * n + PAGE)
    }
}

/// Where steps find and put their values: some pictures' part of the shared buffers, and buffers of their own.
pub(crate) struct Memory<'a> {
    shared: Vec<(Shared, usize)>,
    own: Vec<(Shared, usize)>,
    /// The pictures, counted in the shared buffers; or texts.
    pictures: Range<usize>,
    /// Of a network of texts; none of pictures.
    texts: Texts<'a>,
    buffers: PhantomData<&'a mut Buffers>,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(shared: &'a mut Buffers, pictures: Range<usize>) -> Memory<'a> {
        let (own, texts) = (Vec::new(), Texts::default());
        Memory { shared: pieces(shared), own, pictures, texts, buffers: PhantomData }
    }

    /// The memory of texts, whose buffers are large enough for all their tokens.
    pub(crate) fn of_texts(shared: &'a mut Buffers, texts: Texts<'a>) -> Memory<'a> {
        Memory { texts, ..Memory::new(shared, 0..texts.len()) }
    }

    /// The memory of one picture, and of one thread.
    ///
    /// # Safety
    /// Nothing else reads or writes this picture's values as long as it lives: neither this memory, nor another of the same
    /// picture.
    pub(crate) unsafe fn of_one<'b>(&'b self, picture: usize, own: &'b mut Buffers) -> Memory<'b> {
        assert!(self.pictures.contains(&picture));
        Memory {
            shared: self.shared.clone(),
            own: pieces(own),
            pictures: picture..picture + 1,
            texts: Texts::default(),
            buffers: PhantomData,
        }
    }

    /// Pictures that are worked on, or texts.
    pub(crate) fn count(&self) -> usize {
        self.pictures.len()
    }

    /// The texts that are worked on; none where they are pictures.
    pub(crate) fn texts(&self) -> Texts<'a> {
        self.texts
    }

    /// How many there are of what a value lies for.
    pub(crate) fn count_of(&self, each: Each) -> usize {
        match each {
            Each::Sample => self.pictures.len(),
            Each::Token => self.texts.tokens().len(),
        }
    }

    /// The place of a value, and its length in blocks.
    pub(crate) fn place(&self, value: Value) -> (*mut Lane, usize) {
        let count = self.count_of(value.each);
        let ((buffer, length), first) = match value.home {
            Home::Shared(slot) => (self.shared[slot], self.pictures.start),
            Home::Own(slot) => (self.own[slot], 0),
            Home::Nowhere => unreachable!("values within a chain are asked of nobody but the chain"),
        };
        assert!((first + count) * value.lanes <= length, "a buffer is as long as its values");
        (buffer.get().cast::<Lane>().wrapping_add(first * value.lanes), count * value.lanes)
    }
}

/// Blocks of a page of memory.
const PAGE: usize = 64;

/// Buffers begin at different places of a page: where a map is read and another written at the same offset, a processor
/// takes each read for one of what was just written, and waits (products with a sum took 10 % longer on Zen 5).
fn pieces(buffers: &mut Buffers) -> Vec<(Shared, usize)> {
    let piece = |(i, buffer): (usize, &mut Vec<Lane>)| {
        let buffer = &mut buffer[i * 21 % PAGE..];
        (Shared::writing(buffer), buffer.len())
    };
    buffers.0.iter_mut().enumerate().map(piece).collect()
}

/// Makes buffers of these sizes large enough for n pictures. Whether that was possible.
pub(crate) fn make_room(sizes: &[usize], n: usize, buffers: &mut Buffers) -> bool {
    if !buffers.fits(sizes, n) {
        // The old ones are given back first.
        *buffers = Buffers::default();
        match Buffers::new(sizes, n) {
            Some(made) => *buffers = made,
            None => return false,
        }
    }
    true
}

/// Buffers of one kind, while values are being placed.
#[derive(Default)]
pub(crate) struct Slots {
    pub(crate) sizes: Vec<usize>,
    pub(crate) free: Vec<usize>,
}

impl Slots {
    /// The smallest free buffer that is large enough, else the largest, made larger.
    pub(crate) fn take(&mut self, needed: usize) -> usize {
        let sizes = self.free.iter().enumerate().map(|(i, slot)| (self.sizes[*slot], i));
        let fitting = sizes.clone().filter(|(size, _)| *size >= needed).min();
        let slot = match fitting.or(sizes.max()) {
            Some((_, i)) => self.free.swap_remove(i),
            None => {
                self.sizes.push(0);
                self.sizes.len() - 1
            }
        };
        self.sizes[slot] = self.sizes[slot].max(needed);
        slot
    }
}
