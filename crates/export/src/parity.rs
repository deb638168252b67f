//! The gate: what was written must give, for the probes, the features and logits that the cache holds.

use crate::config::Config;
use anyhow::Result;
use cli::GateError;
use engine::{Executor as _, Interpreter, Precision, Reference};
use head::{Distances, Head, Scorer};
use input::{PROBES, Recipe, image};
use model::Distance;
pub(crate) use model::TOLERANCE;
use onnx::{Input, Model};
use sample::targets::Task;
use serde_json::{Value, json};
use weights::Bound;

/// Passes for a model whose weights were rounded to f16.
pub(crate) const TOLERANCE_OF_HALVES: f64 = 1e-2;

/// How far an exported model is from the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parity {
    pub(crate) features: Distance,
    /// Of the probes' logits, or numbers.
    pub(crate) logits: Distance,
    /// `logits` or `values`.
    pub(crate) outputs: &'static str,
    /// From the softmax (of labels the sigmoid) of the model's own logits, where it gives probabilities.
    probabilities: Option<Distance>,
    /// Of the distances that make pictures novel, where the model gives them.
    distances: Option<Distance>,
    /// That of features and logits from the cache's.
    pub(crate) tolerance: f64,
    /// That of probabilities from the model's own logits.
    strict: f64,
    /// What the cache's features were made in, where that was not f32 on the processor.
    made: Option<Precision>,
}

impl Parity {
    /// Compares what an exported model makes of the probes, (4, d) features and (4, classes) logits, with the cache. What
    /// passes has a tolerance of `least` or more, unless told otherwise.
    ///
    /// # Errors
    /// Where the head's graph cannot be run.
    pub(crate) fn of(
        config: &Config,
        head: &Head,
        features: &[f32],
        logits: &[f32],
        least: f64,
    ) -> Result<Parity> {
        let made = head.sources.iter().filter_map(|source| Precision::of_engine(source.engine()?));
        let made = made.max_by(|a, b| a.tolerance().total_cmp(&b.tolerance()));
        // A cache that was rounded more on the way is that much further from what the model gives.
        let usual = made.map_or(least, |precision| precision.tolerance().max(least));
        Ok(Parity {
            features: Distance::between(features, &head.probes),
            logits: Distance::between(logits, &Scorer::of(head)?.of_rows(&head.probes)),
            outputs: match head.task() {
                Task::Numbers => "values",
                _ => "logits",
            },
            probabilities: None,
            distances: None,
            tolerance: config.tolerance().unwrap_or(usual),
            strict: config.tolerance().unwrap_or(TOLERANCE),
            made,
        })
    }

    /// Compares the probabilities that a model gives, (4, classes), with the logits that it gives besides.
    pub(crate) fn with_probabilities(self, probabilities: &[f32], logits: &[f32], head: &Head) -> Parity {
        let expected = match head.task() {
            Task::Class => head::softmax(logits, head.classes.len()),
            _ => head::sigmoid(logits),
        };
        let expected: Vec<f32> = expected.into_iter().map(|p| p as f32).collect();
        Parity { probabilities: Some(Distance::between(probabilities, &expected)), ..self }
    }

    /// Compares the distances that a model gives, (4,), with those of the cache's features.
    pub(crate) fn with_distances(self, distances: &[f32], head: &Head) -> Parity {
        let own = |novelty| Distance::between(distances, &Distances::of(novelty).of_rows(&head.probes));
        Parity { distances: head.novelty.as_ref().map(own), ..self }
    }

    /// The figures, as they stand in an artefact.
    pub(crate) fn figures(&self) -> Value {
        json!({
            "features": self.features.difference,
            "largest_feature": self.features.scale,
            "logits": self.logits.difference,
            "largest_logit": self.logits.scale,
            "tolerance": self.tolerance,
        })
    }

    /// Passes, or says by how much it does not.
    ///
    /// # Errors
    /// [`GateError`] where a difference is above the tolerance, or no number.
    pub(crate) fn gate(self) -> Result<Parity, GateError> {
        let cache =
            self.made.map_or("the cache's".to_owned(), |made| format!("the cache's (made in {made})"));
        let of_cache = [("features", self.features), (self.outputs, self.logits)]
            .into_iter()
            .chain(self.distances.map(|distance| ("distances", distance)))
            .map(|(what, distance)| (what, &*cache, distance, self.tolerance));
        let of_itself = self
            .probabilities
            .map(|distance| ("probabilities", "those of its logits", distance, self.strict));
        // Rounding may be all there is to it.
        let advice = match self.made {
            Some(made) if made != Precision::F32 => ", or extract with --precision f32",
            _ => "",
        };
        for (what, expected, distance, tolerance) in of_cache.chain(of_itself) {
            let Distance { difference, scale } = distance;
            if distance.is_within(tolerance) {
                continue;
            }
            return Err(GateError(format!(
                "the exported model's {what} differ from {expected} by {difference:.3e} on the probes, \
                 {:.1e} of the largest; at most {tolerance:.0e} passes; rerun extract and fit-head with these weights{advice}",
                difference / scale,
            )));
        }
        Ok(self)
    }
}

/// Where the largest score is, of equals the first.
pub(crate) fn best(scores: &[f32]) -> usize {
    (0..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best })
}

/// What `bound` makes of the probes: (4, d), its outputs side by side.
///
/// # Errors
/// Where the network does not run.
pub(crate) fn run_probes(bound: Bound, recipe: &Recipe) -> Result<Vec<f32>> {
    let outputs = run_probes_apart(bound, recipe)?;
    let row = |k: usize| outputs.iter().flat_map(move |output| output.chunks(output.len() / PROBES).nth(k));
    Ok((0..PROBES).flat_map(row).flatten().copied().collect())
}

/// The same, one (4, d) matrix an output.
///
/// # Errors
/// Where the network does not run.
pub(crate) fn run_probes_apart(bound: Bound, recipe: &Recipe) -> Result<Vec<Vec<f32>>> {
    Ok(Reference::new(bound, recipe)?.run(recipe.probes().batch())?)
}

/// What an ONNX file makes of them, node by node: one (4, width) matrix an output. Where preprocessing is in it, it gets them
/// as they are; else prepared, by one recipe for each input.
///
/// # Errors
/// Where the graph does not run.
pub(crate) fn interpret_probes(model: Model, recipes: &[&Recipe]) -> Result<(Interpreter, Vec<Vec<f32>>)> {
    let takes_image = model.inputs == [Input::Image];
    let interpreter = Interpreter::of(model, recipes)?;
    if !takes_image {
        let probes: Vec<_> = recipes.iter().map(|recipe| recipe.probes()).collect();
        let batches: Vec<_> = probes.iter().map(input::Inputs::batch).collect();
        let outputs = interpreter.run_all(&batches)?;
        return Ok((interpreter, outputs));
    }
    let mut outputs = vec![Vec::new(); interpreter.outputs().count()];
    for k in 0..PROBES {
        let rows = interpreter.run_picture(&image::probe(k))?;
        outputs.iter_mut().zip(rows).for_each(|(output, row)| output.extend(row));
    }
    Ok((interpreter, outputs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_agrees_passes() {
        let expected = [10.0, -3.0];
        for (got, passes) in [
            (&[10.0, -3.0][..], true),
            (&[10.0005, -3.0], true),
            (&[10.0, -3.002], false),
            (&[10.0, f32::NAN], false),
            (&[f32::INFINITY, -3.0], false),
            (&[10.0], false),
        ] {
            let (far, near) = (Distance::between(got, &expected), Distance::between(&expected, &expected));
            for (features, logits, probabilities) in
                [(far, near, None), (near, far, None), (near, near, Some(far)), (far, far, Some(near))]
            {
                let (tolerance, strict, made) = (TOLERANCE, TOLERANCE, None);
                let outputs = "logits";
                let distances = None;
                let parity =
                    Parity { features, logits, outputs, probabilities, distances, tolerance, strict, made };
                assert_eq!(parity.gate().is_ok(), passes, "{got:?}");
            }
        }
    }

    #[test]
    fn a_model_agrees_with_itself_however_the_cache_was_made() {
        let (far, near) =
            (Distance { difference: 1e-3, scale: 1.0 }, Distance { difference: 0.0, scale: 1.0 });
        let parity = Parity {
            features: far,
            logits: far,
            outputs: "logits",
            probabilities: Some(near),
            distances: None,
            tolerance: Precision::Bf16.tolerance(),
            strict: TOLERANCE,
            made: Some(Precision::Bf16),
        };
        assert!(parity.gate().is_ok());
        let message = Parity { probabilities: Some(far), ..parity }.gate().unwrap_err().to_string();
        assert!(message.contains("those of its logits") && message.contains("at most 1e-4"), "{message}");
    }
}
