//! Nodes that compute nothing: they turn, cut and fold.

use super::Given;
use crate::import::{
    constant::{Data, broadcast},
    fold::{self, Part},
    importer::{Importer, Stop, live},
    model::Node,
    value::{Live, Moment, Norms, Pending, Scores, Value},
    view::View,
};
use std::rc::Rc;

impl Importer<'_> {
    /// A change of view, whatever is pending.
    fn seen(&mut self, node: &Node, change: impl Fn(&View) -> Option<View>) -> Given {
        let unknown = || Stop::Unknown("cuts or turns what it reads in a way that is not known");
        if let Value::Softmax(view) = self.value(node, 0)? {
            return Ok(vec![Value::Softmax(change(view).ok_or_else(unknown)?)]);
        }
        if let Value::Live(Live { view, pending }) = self.value(node, 0)? {
            let (view, pending) = (change(view).ok_or_else(unknown)?, pending.clone());
            return Ok(vec![Value::Live(Live { view, pending })]);
        }
        let view = self.view_at(node, 0)?;
        Ok(vec![Value::Live(Live::of(change(&view).ok_or_else(unknown)?))])
    }

    pub(super) fn unchanged(&mut self, node: &Node) -> Given {
        if node.op == "Cast" && !fold::is_float(node.int("to").unwrap_or(1)) {
            return Err(Stop::Unknown("makes whole numbers of what it reads"));
        }
        Ok(vec![self.value(node, 0)?.clone()])
    }

    pub(super) fn reshape(&mut self, node: &Node) -> Given {
        let list = self.list_at(node, 1)?;
        let before = self.value(node, 0)?.shape();
        let shape = fold::reshaped(node, &before, list.as_deref());
        let shape = shape.ok_or(Stop::Unknown("gives a shape that does not fit"))?;
        if shape == before {
            return Ok(vec![self.value(node, 0)?.clone()]);
        }
        match self.value(node, 0)? {
            // Sides of 1 mean nothing.
            Value::Scores(scores) | Value::Shares(scores) if is_same_but_ones(&before, &shape) => {
                let scores = Rc::new(Scores { shape, ..Scores::clone(scores) });
                let is_scores = matches!(self.value(node, 0)?, Value::Scores(_));
                Ok(vec![if is_scores { Value::Scores(scores) } else { Value::Shares(scores) }])
            }
            Value::Moment(moment) if is_same_but_ones(&before, &shape) => {
                Ok(vec![Value::Moment(Moment { shape, ..moment.clone() })])
            }
            _ => self.seen(node, |view| view.reshaped(&shape)),
        }
    }

    pub(super) fn transpose(&mut self, node: &Node) -> Given {
        let rank = self.value(node, 0)?.shape().len();
        let order = fold::order(node, rank).ok_or(Stop::Unknown("has an order of axes that does not fit"))?;
        if order.iter().enumerate().all(|(at, from)| at == *from) {
            return Ok(vec![self.value(node, 0)?.clone()]);
        }
        if let Value::Moment(moment) = self.value(node, 0)? {
            let view = moment.view.turned(&order);
            let view = view.ok_or(Stop::Unknown("has an order of axes that does not fit"))?;
            let shape = order.iter().map(|at| moment.shape[*at]).collect();
            return Ok(vec![Value::Moment(Moment { view, shape, stage: moment.stage })]);
        }
        self.seen(node, |view| view.turned(&order))
    }

    pub(super) fn slice(&mut self, node: &Node) -> Given {
        let lists = (1..5).map(|at| self.list_at(node, at)).collect::<Result<Vec<_>, _>>()?;
        let shape = self.value(node, 0)?.shape();
        let parts =
            fold::parts(node, &shape, &lists).ok_or(Stop::Unknown("takes a part that is not there"))?;
        self.parts(node, &parts)
    }

    fn parts(&mut self, node: &Node, parts: &[Part]) -> Given {
        let shape = self.value(node, 0)?.shape();
        let is_all = |part: &Part| part.start == 0 && part.step == 1 && part.count == shape[part.axis];
        let parts: Vec<Part> = parts.iter().copied().filter(|part| !is_all(part)).collect();
        if parts.is_empty() {
            return Ok(vec![self.value(node, 0)?.clone()]);
        }
        if let Value::Live(Live { view, pending }) = self.value(node, 0)?
            && !matches!(pending, Pending::Nothing)
            && parts.iter().any(|part| view.is_of_places(part.axis))
        {
            // Parts of a map come together again: they are to be of one node.
            self.view_at(node, 0)?;
        }
        let cut = |view: &View| {
            parts.iter().try_fold(view.clone(), |view, part| {
                let step = usize::try_from(part.step).ok()?;
                view.sliced(part.axis, part.start, part.count, step)
            })
        };
        match self.seen(node, cut) {
            // Channels that lie in another order are brought into it first.
            Err(Stop::Unknown(reason)) => {
                let view = self.view_at(node, 0)?;
                let view = self.ordered(&view, parts[0].axis).map_err(|_| Stop::Unknown(reason))?;
                Ok(live(cut(&view).ok_or(Stop::Unknown(reason))?))
            }
            given => given,
        }
    }

    pub(super) fn split(&mut self, node: &Node) -> Given {
        let list = self.list_at(node, 1)?;
        let shape = self.value(node, 0)?.shape();
        let split = fold::split(node, &shape, list.as_deref());
        let (axis, counts) = split.ok_or(Stop::Unknown("cuts parts that do not fit"))?;
        let mut start = 0;
        let mut given = Vec::with_capacity(counts.len());
        for count in counts {
            given.extend(self.parts(node, &[Part { axis, start, count, step: 1 }])?);
            start += count;
        }
        Ok(given)
    }

    /// One index of a side, or several that follow one another.
    pub(super) fn gather(&mut self, node: &Node) -> Given {
        let constant = self.constant_at(node, 1)?.ok_or(Stop::Unknown("lacks its indices"))?;
        let list = self.list_at(node, 1)?.unwrap_or_default();
        let shape = self.value(node, 0)?.shape();
        let wrong = || Stop::Unknown("takes parts that are not there");
        let axis = fold::axis(node.int("axis").unwrap_or(0), shape.len()).ok_or_else(wrong)?;
        let indices: Option<Vec<usize>> = list.iter().map(|at| fold::axis(*at, shape[axis])).collect();
        let indices = indices.filter(|indices| !indices.is_empty()).ok_or_else(wrong)?;
        let (start, count) = (indices[0], indices.len());
        let together = indices.iter().enumerate().all(|(at, index)| *index == start + at);
        if constant.shape.len() > 1 && !together {
            return Err(Stop::Unknown("takes parts by a table of indices"));
        }
        if !together {
            let view = self.view_at(node, 0)?;
            let view = self.ordered(&view, axis)?;
            let channels = shape[axis];
            let selected = self.select(view.node, channels, &indices)?;
            return Ok(vec![Value::Live(Live::of(view.with_channels(selected, count, axis)))]);
        }
        let given = self.parts(node, &[Part { axis, start, count, step: 1 }])?;
        if constant.shape.len() == 1 {
            return Ok(given);
        }
        // The side becomes as many as the table has: none of a single index.
        let without = |view: &View| {
            let shape = view.shape();
            view.reshaped(&[&shape[..axis], &constant.shape, &shape[axis + 1..]].concat())
        };
        match given.into_iter().next() {
            Some(Value::Live(Live { view, pending })) => {
                let view = without(&view).ok_or_else(wrong)?;
                Ok(vec![Value::Live(Live { view, pending })])
            }
            Some(Value::Sequence(_)) => {
                let view = self.view_at(node, 0)?;
                Ok(vec![Value::Live(Live::of(without(&view).ok_or_else(wrong)?))])
            }
            _ => Err(wrong()),
        }
    }

    /// The one of two values that conditions which are all alike choose.
    pub(super) fn choose(&mut self, node: &Node) -> Given {
        let (condition, chosen) = match self.value(node, 0)? {
            Value::Never(shape) => (shape.clone(), 2),
            Value::Constant(constant) => {
                let constant = self.loaded(constant)?;
                let Data::Integers(conditions) = &constant.data else {
                    return Err(Stop::Unknown("chooses by numbers"));
                };
                match conditions.first() {
                    Some(first) if conditions.iter().all(|other| (*other != 0) == (*first != 0)) => {
                        (constant.shape.clone(), if *first != 0 { 1 } else { 2 })
                    }
                    _ => return Err(Stop::Unknown("chooses by constants that differ")),
                }
            }
            _ => return Err(Stop::Unknown("chooses by the picture")),
        };
        let shapes = [self.value(node, 1)?.shape(), self.value(node, 2)?.shape()];
        let all = broadcast(&condition, &shapes[0]).and_then(|shape| broadcast(&shape, &shapes[1]));
        let value = self.value(node, chosen)?.clone();
        if all.as_ref() != Some(&value.shape()) {
            return Err(Stop::Unknown("repeats what it chooses"));
        }
        Ok(vec![value])
    }

    pub(super) fn expand(&mut self, node: &Node) -> Given {
        let list = self.list_at(node, 1)?.ok_or(Stop::Unknown("lacks its shape"))?;
        let shape = self.value(node, 0)?.shape();
        let wanted: Option<Vec<usize>> = list.iter().map(|side| usize::try_from(*side).ok()).collect();
        let wanted = wanted.and_then(|wanted| broadcast(&shape, &wanted));
        match wanted {
            Some(wanted) if wanted == shape => Ok(vec![self.value(node, 0)?.clone()]),
            Some(wanted) if matches!(self.value(node, 0)?, Value::Norms(norms) if norms.view.shape() == wanted) => {
                match self.value(node, 0)? {
                    Value::Norms(norms) => Ok(vec![Value::Norms(Norms { shape: wanted, ..norms.clone() })]),
                    _ => Err(Stop::Unknown("repeats what it reads")),
                }
            }
            Some(wanted) if wanted.len() > shape.len() && wanted.ends_with(&shape) => {
                self.seen(node, |view| view.reshaped(&wanted))
            }
            _ => Err(Stop::Unknown("repeats what it reads")),
        }
    }
}

/// Whether two shapes differ in sides of 1 alone.
fn is_same_but_ones(a: &[usize], b: &[usize]) -> bool {
    a.iter().filter(|side| **side != 1).eq(b.iter().filter(|side| **side != 1))
}
