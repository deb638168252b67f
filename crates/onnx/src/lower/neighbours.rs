//! Nearest neighbours by cosine, as crate `head` counts their votes.

use super::{Draft, Operator, flow::Flow};
use crate::{Element, Ending, FEATURES, Neighbours, Remembered, draft::Numbers};

/// Adds the nodes that give the head's output from the features.
pub(super) fn lower<'a>(draft: &mut Draft<'a>, of: Neighbours<'a>, ending: Ending) {
    let Neighbours { rows, dim, count, temperature, truth, outputs } = of;
    let n = rows.len() / dim.max(1);
    let memory = draft.weight("memory", &[n, dim], rows);
    let mut flow = Flow { draft, scope: "neighbours" };
    // To length 1; a row of zeros has no direction, and stays.
    let length = flow.step("length", &Operator::ReduceL2 { axes: vec![1] }, &[FEATURES]);
    let is_zero = flow.by_single("length/zero", &Operator::Equal, &length, 0.0);
    let one = flow.draft.scalar(1.0);
    let length = flow.step("length/or_one", &Operator::Where, &[&is_zero, &one, &length]);
    let unit = flow.step("unit", &Operator::Div, &[FEATURES, &length]);
    let cosines = flow.step("cosines", &Operator::Gemm, &[&unit, &memory]);
    // Beyond 1 it is rounding.
    let minus = flow.draft.scalar(-1.0);
    let cosines = flow.step("cosines/within", &Operator::Clip, &[&cosines, &minus, &one]);
    let nearest = flow.step("nearest", &Operator::TopK { k: count }, &[&cosines]);
    let places = format!("{nearest}/places");
    // exp(cosine / T) of each, as shares of all.
    let votes = flow.by_single("nearest/tempered", &Operator::Div, &nearest, temperature);
    let votes = flow.step("votes", &Operator::Softmax, &[&votes]);
    let votes = flow.step("votes/row", &Operator::Reshape { shape: vec![0, 1, count] }, &[&votes]);
    let gather = Operator::GatherAt { axis: 0 };
    // (batch, count, outputs)
    let said = match truth {
        Remembered::Classes(classes) => {
            let classes = classes.iter().map(|class| i64::from(*class)).collect();
            let classes = flow.draft.integers("memory/classes", classes);
            let own = flow.step("classes", &gather, &[&classes, &places]);
            let own = flow.step("classes/column", &Operator::Reshape { shape: vec![0, count, 1] }, &[&own]);
            let all = flow.draft.integers(&format!("classes/{outputs}"), (0..outputs as i64).collect());
            let is_own = flow.step("classes/own", &Operator::Equal, &[&own, &all]);
            flow.step("said", &Operator::Cast { to: Element::Single }, &[&is_own])
        }
        Remembered::Values(values) => {
            let values =
                || Numbers::Floats(values.iter().map(|value| *value as f32).collect::<Vec<_>>().into());
            let values = flow.draft.shared("memory/values".to_owned(), &[n, outputs], values);
            flow.step("said", &gather, &[&values, &places])
        }
    };
    let own = flow.step("shares/row", &Operator::MatMul, &[&votes, &said]);
    let last = Operator::Reshape { shape: vec![0, outputs] };
    if ending == Ending::Values {
        flow.draft.step(&last, ending.output().to_owned(), vec![own]);
        return;
    }
    let own = flow.step("shares", &last, &[&own]);
    // One more vote, of the mean weight of the others: over all classes, or half for and half against a label.
    let even = 1.0 / count as f64;
    let share = if ending == Ending::Classes {
        let more = flow.by_single("shares/more", &Operator::Add, &own, even / outputs as f64);
        flow.by_single("shares/even", &Operator::Div, &more, 1.0 + even)
    } else {
        let yes = flow.by_single("shares/for", &Operator::Add, &own, even / 2.0);
        let all = flow.draft.scalar((1.0 + even / 2.0) as f32);
        let no = flow.step("shares/against", &Operator::Sub, &[&all, &own]);
        flow.step("shares/odds", &Operator::Div, &[&yes, &no])
    };
    flow.draft.step(&Operator::Log, ending.output().to_owned(), vec![share]);
}
