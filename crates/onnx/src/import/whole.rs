//! Brings views to what operations read: whole nodes, with channels in their order.

use super::{
    importer::{Importer, Stop},
    view::{Axis, View},
};
use network::{Op, Pair, Pool, Shape};
use std::rc::Rc;

impl Importer<'_> {
    /// A view of all of a node: what is cut out becomes a node of its own.
    pub(super) fn whole(&mut self, view: &View) -> Result<View, Stop> {
        if view.is_whole() {
            return Ok(view.clone());
        }
        let sides: Vec<usize> = (0..view.rank()).collect();
        if !view.sees_all_places() {
            if let Some((steps, seen)) = view.every() {
                // Of single places the largest is the place itself.
                let pool = Pool::new(1, 1);
                let stride = Pair { y: steps[0], x: steps[1] };
                let node = self.push(Op::MaxPool(Pool { stride, ..pool }), &[view.node])?;
                return self.whole(&seen.on(node));
            }
            let tokens = sides.iter().flat_map(|at| view.side(*at)).any(|stride| stride.axis == Axis::Token);
            if view.length(Axis::Token) > 1 && !tokens {
                let node = self.push(Op::Token { index: view.start(Axis::Token) }, &[view.node])?;
                let token = view.without_places(node, |_| true);
                return self.whole(&token);
            }
            return Err(Stop::Unknown("reads a part of a map, or of tokens"));
        }
        if let Some((groups, shuffled)) = view.shuffled() {
            let node = self.push(Op::Shuffle { groups }, &[view.node])?;
            return self.whole(&shuffled.on(node));
        }
        let channels = view.length(Axis::Channel);
        let seen = view.channels(&sides);
        let mut sorted = seen.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let (first, count) = (sorted[0], sorted.len());
        let step = if count > 1 { sorted[1] - first } else { 1 };
        let even = sorted.iter().enumerate().all(|(at, channel)| *channel == first + at * step);
        if !even || count != seen.len() || !channels.is_multiple_of(step) {
            return Err(Stop::Unknown("reads channels that do not lie together"));
        }
        let (mut node, mut start) = (view.node, first);
        if step > 1 {
            // Those that lie so far apart come to lie together.
            node = self.push(Op::Shuffle { groups: channels / step }, &[node])?;
            start = first % step * (channels / step) + first / step;
        }
        let node = self.push(Op::Channels { start, end: start + count }, &[node])?;
        // The same strides, through fewer channels.
        Ok(view.narrowed(node, count, step))
    }

    /// A view of a whole node whose side `at` walks through all channels in their order.
    pub(super) fn ordered(&mut self, view: &View, at: usize) -> Result<View, Stop> {
        let mut view = self.whole(view)?;
        if view.fours() == Some(at) {
            let node = self.push(Op::MergePatches, &[view.node])?;
            view = view.of_fours(node, at);
        }
        if view.is_side(at, &[Axis::Channel]) {
            return Ok(view);
        }
        let others = (0..view.rank()).filter(|side| *side != at);
        let mut others = others.flat_map(|side| view.side(side));
        if !view.is_of_channels(at) || others.any(|stride| stride.axis == Axis::Channel) {
            return Err(Stop::Unknown("reads channels and places in another order than is known"));
        }
        let channels = view.length(Axis::Channel);
        let order = view.channels(&[at]);
        let shuffle = |groups: usize| {
            let each = channels / groups;
            order.iter().enumerate().all(|(at, channel)| *channel == at % groups * each + at / groups)
        };
        let groups = view.side(at).last().map_or(1, |inner| inner.count);
        let node = if channels.is_multiple_of(groups) && shuffle(groups) {
            self.push(Op::Shuffle { groups }, &[view.node])?
        } else {
            self.select(view.node, channels, &order)?
        };
        Ok(view.with_channels(node, channels, at))
    }

    /// Channels in any order, once or more often: a dense layer of ones and zeros.
    pub(super) fn select(
        &mut self,
        node: network::NodeId,
        channels: usize,
        order: &[usize],
    ) -> Result<network::NodeId, Stop> {
        let len = order.len().checked_mul(channels).filter(|len| *len <= super::constant::MOST_NUMBERS);
        let mut weight = vec![0.0; len.ok_or(Stop::Unknown("brings too many channels into another order"))?];
        for (at, channel) in order.iter().enumerate() {
            weight[at * channels + channel] = 1.0;
        }
        let weight = self.param(None, "order", &[order.len(), channels], Rc::new(weight));
        self.push(Op::Linear { weight, bias: None }, &[node])
    }

    /// The same of a vector, where it is of a map of one place.
    pub(super) fn vector(&mut self, view: &View) -> Result<View, Stop> {
        match self.net.shape(view.node) {
            Shape::Map { height: 1, width: 1, .. } => self.same(Op::Flatten, view),
            _ => Ok(view.clone()),
        }
    }

    /// A view of a whole node with its channels in their order, if one side walks through all of them: what can be given.
    pub(super) fn given(&mut self, view: &View) -> Result<View, Stop> {
        let view = self.whole(view)?;
        let sides: Vec<usize> = (0..view.rank()).filter(|at| !view.side(*at).is_empty()).collect();
        if let [only] = sides[..]
            && !view.is_of_channels(only)
            && matches!(self.net.shape(view.node), Shape::Map { .. })
        {
            let sides = [Axis::Channel, Axis::Row, Axis::Column].map(|axis| view.length(axis));
            let map = view.reshaped(&[&[1], &sides[..]].concat());
            let map = map.ok_or(Stop::Unknown("gives a map as a vector in an order that is not known"))?;
            let map = self.map(&map)?;
            let node = self.push(Op::Flatten, &[map.node])?;
            return Ok(View::of(node, self.net.shape(node)));
        }
        match sides.iter().find(|at| view.is_of_channels(**at)) {
            Some(at) if view.channels(&[*at]).len() == view.length(Axis::Channel) => self.ordered(&view, *at),
            _ => Ok(view),
        }
    }

    /// A view (1, c, h, w) of a whole map.
    pub(super) fn map(&mut self, view: &View) -> Result<View, Stop> {
        if view.rank() != 4 {
            return Err(Stop::Unknown("reads what is no map"));
        }
        let view = self.ordered(view, 1)?;
        let is_map = matches!(self.net.shape(view.node), Shape::Map { .. });
        if is_map && view.is_map() {
            return Ok(view);
        }
        Err(Stop::Unknown("reads tokens, or a map in another order, where a map is known"))
    }
}
