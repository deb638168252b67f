//! One after the other: channels of maps, or tokens before a map's places.

use super::Given;
use crate::import::{
    fold,
    importer::{Importer, Stop, live},
    model::Node,
    value::{Live, Pending, Sequence, Value},
    view::{Axis, View},
};
use network::{Op, Shape};
use std::rc::Rc;

impl Importer<'_> {
    pub(super) fn concat(&mut self, node: &Node) -> Given {
        let rank = self.value(node, 0)?.shape().len();
        let at = fold::axis(node.int("axis").unwrap_or(1), rank)
            .ok_or(Stop::Unknown("has an axis that is not there"))?;
        if node.inputs.len() == 1 {
            return Ok(vec![self.value(node, 0)?.clone()]);
        }
        let is_constant = |name: &String| matches!(self.values.get(name), Some(Value::Constant(_)));
        if node.inputs.iter().any(is_constant) {
            return self.tokens_before(node, at, rank);
        }
        if let Some(view) = self.together(node, at, rank)? {
            return Ok(live(view));
        }
        let mut views: Vec<View> = Vec::with_capacity(node.inputs.len());
        for input in 0..node.inputs.len() {
            let view = self.view_at(node, input)?;
            if view.rank() != rank {
                return Err(Stop::Unknown("joins values of several ranks"));
            }
            let view = self.whole(&view)?;
            if !view.is_of_channels(at) {
                return Err(Stop::Unknown("joins places, not channels"));
            }
            views.push(self.ordered(&view, at)?);
        }
        let is_vector = |view: &View| matches!(self.net.shape(view.node), Shape::Vector(_));
        if views.iter().any(is_vector) {
            views = views.iter().map(|view| self.vector(view)).collect::<Result<_, _>>()?;
        }
        let Some(first) = views.first().cloned() else { return Err(Stop::Unknown("joins nothing")) };
        let alike = |view: &View| {
            let others = (0..rank).filter(|side| *side != at);
            first.has_places_of(view) && others.into_iter().all(|side| first.side(side) == view.side(side))
        };
        if !views.iter().all(alike) {
            return Err(Stop::Unknown("joins values whose places lie differently"));
        }
        if matches!(self.net.shape(first.node), Shape::Tokens { .. }) {
            return Err(Stop::Unknown("joins channels of tokens"));
        }
        let nodes: Vec<_> = views.iter().map(|view| view.node).collect();
        let id = self.push(Op::Concat, &nodes)?;
        let channels = self.net.shape(id).width();
        Ok(live(first.with_channels(id, channels, at)))
    }

    /// Constant tokens, and then the places of a map.
    /// Parts of one map that make it whole again: moved, or with four neighbours as one place.
    fn together(&mut self, node: &Node, at: usize, rank: usize) -> Result<Option<View>, Stop> {
        let mut views = Vec::with_capacity(node.inputs.len());
        for input in 0..node.inputs.len() {
            match self.value(node, input)? {
                Value::Live(Live { view, pending: Pending::Nothing }) if view.rank() == rank => {
                    views.push(view.clone());
                }
                _ => return Ok(None),
            }
        }
        if let Some(moved) = View::around(&views, at) {
            return Ok(Some(moved));
        }
        let starts = [(0, 0), (1, 0), (0, 1), (1, 1)];
        let is_one = views.iter().all(|view| view.node == views[0].node && view.has_sides_of(&views[0]));
        let are_fours = views.len() == starts.len()
            && views.iter().zip(starts).all(|(view, (row, column))| view.is_every_second(row, column))
            && views[0].is_side(at, &[Axis::Channel]);
        if !is_one || !are_fours {
            return Ok(None);
        }
        let merged = self.push(Op::MergePatches, &[views[0].node])?;
        Ok(Some(views[0].of_fours(merged, at)))
    }

    fn tokens_before(&mut self, node: &Node, at: usize, rank: usize) -> Given {
        let unknown =
            || Stop::Unknown("joins constants and something of the picture in a way that is not known");
        let mut prefix = Vec::new();
        let (Some(last), false) = (node.inputs.len().checked_sub(1), rank != 3 || at != 1) else {
            return Err(unknown());
        };
        for input in 0..last {
            match self.value(node, input)? {
                Value::Constant(constant) => prefix.push(constant.clone()),
                _ => return Err(unknown()),
            }
        }
        let (places, positions) = match self.value(node, last)? {
            Value::Sequence(sequence) if sequence.prefix.is_empty() => {
                (sequence.places.clone(), sequence.positions.clone())
            }
            Value::Live(Live { view, pending: Pending::Nothing }) => (view.clone(), None),
            Value::Live(_) => (self.view_at(node, last)?, None),
            _ => return Err(unknown()),
        };
        let shape = places.shape();
        let is_map = matches!(self.net.shape(places.node), Shape::Map { .. });
        let is_tokens = shape.len() == 3
            && is_map
            && places.is_side(1, &[Axis::Row, Axis::Column])
            && places.is_side(2, &[Axis::Channel]);
        let fits = prefix
            .iter()
            .all(|token| token.shape.len() == 3 && token.shape[0] == 1 && token.shape[2] == shape[2]);
        if !is_tokens || !fits {
            return Err(unknown());
        }
        let before: usize = prefix.iter().map(|token| token.shape[1]).sum();
        let shape = vec![1, before + shape[1], shape[2]];
        Ok(vec![Value::Sequence(Rc::new(Sequence { prefix, places, positions, shape }))])
    }
}
