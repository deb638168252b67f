//! Nodes one after the other, which are no operations of a network of ours.

use super::{Draft, Operator};

/// Where nodes are added, and what their names begin with.
pub(super) struct Flow<'d, 'a> {
    pub(super) draft: &'d mut Draft<'a>,
    pub(super) scope: &'static str,
}

impl Flow<'_, '_> {
    /// Adds a node; gives the name of its value, `scope/what` or like it.
    pub(super) fn step(&mut self, what: &str, operator: &Operator, inputs: &[&str]) -> String {
        let name = self.draft.free(&format!("{}/{what}", self.scope));
        self.draft.step(operator, name, inputs.iter().map(|input| (*input).to_owned()).collect())
    }

    /// Of a value and an f64.
    pub(super) fn by(&mut self, what: &str, operator: &Operator, x: &str, number: f64) -> String {
        let number = self.draft.double(number);
        self.step(what, operator, &[x, &number])
    }

    /// Of a value and an f32.
    pub(super) fn by_single(&mut self, what: &str, operator: &Operator, x: &str, number: f64) -> String {
        let number = self.draft.scalar(number as f32);
        self.step(what, operator, &[x, &number])
    }
}
