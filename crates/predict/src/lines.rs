//! A row as one line of JSON.

use crate::row::{Outputs, Row};
use model::{Answer, Verdict};
use sample::targets::{self, Task};
use serde_json::Value;

/// An object whose keys stay in order.
#[derive(Default)]
struct Object(String);

impl Object {
    fn add(&mut self, key: &str, value: impl Into<Value>) -> &mut Object {
        self.add_json(key, &value.into().to_string())
    }

    fn add_json(&mut self, key: &str, json: &str) -> &mut Object {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0 += &Value::from(key).to_string();
        self.0.push(':');
        self.0 += json;
        self
    }

    fn end(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

/// The row without its line end.
pub(crate) fn line(row: &Row, outputs: &Outputs) -> String {
    let mut object = Object::default();
    object.add("id", row.id.as_str());
    match &row.said {
        Ok(verdict) => say(verdict, outputs, &mut object),
        Err(reason) => {
            object.add("error", reason.as_str());
        }
    }
    object.end()
}

fn say(verdict: &Verdict, outputs: &Outputs, object: &mut Object) {
    let names = &outputs.names;
    let list = |bears: &[bool]| targets::list(names, bears.iter().copied());
    match &verdict.answer {
        Answer::Class { predicted, confidence, rejected, .. } => {
            object.add("predicted", names[*predicted].as_str()).add("confidence", *confidence);
            rejected.iter().for_each(|rejected| {
                object.add("rejected", *rejected);
            });
        }
        Answer::Labels { predicted, accepted, .. } => {
            object.add("predicted", list(predicted));
            accepted.iter().for_each(|accepted| {
                object.add("accepted", list(accepted));
            });
        }
        Answer::Numbers(values) => {
            let mut own = Object::default();
            names.iter().zip(values).for_each(|(name, value)| {
                own.add(name, *value);
            });
            object.add_json("predicted", &own.end());
        }
    }
    if let Some((distance, novel)) = verdict.novelty {
        object.add("distance", f64::from(distance)).add("novel", novel);
    }
    if outputs.wanted.top > 0 {
        let what = if outputs.task == Task::Labels { "label" } else { "class" };
        let best = verdict.answer.ranked().into_iter().take(outputs.wanted.top).map(|(at, probability)| {
            let mut own = Object::default();
            own.add(what, names[at].as_str()).add("probability", probability);
            own.end()
        });
        object.add_json("top", &format!("[{}]", best.collect::<Vec<_>>().join(",")));
    }
    if let (true, Answer::Class { probabilities, .. } | Answer::Labels { probabilities, .. }) =
        (outputs.wanted.probabilities, &verdict.answer)
    {
        let mut own = Object::default();
        names.iter().zip(probabilities).for_each(|(name, p)| {
            own.add(name, *p);
        });
        object.add_json("probabilities", &own.end());
    }
}
