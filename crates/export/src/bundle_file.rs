//! A model as one bundle, which `predict` and the library open.

use crate::{
    config::Config,
    parity::{self, Parity},
    towers,
};
use anyhow::Result;
use cli::GateError;
use head::Head;
use input::PROBES;
use model::{BUNDLE_FILE, Layout, Model, Tower};
use store::{Place, distinct};

/// Writes the bundle, reads it back, checks it, moves it into place.
///
/// # Errors
/// Where it cannot be written, or disagrees with the cache.
pub(crate) fn write(config: &Config, head: &Head) -> Result<Parity> {
    let place = Place::file(config.output(), config.force(), BUNDLE_FILE)?;
    distinct(&[&place], config.inputs())?;
    let towers = towers::load(config, head)?;
    let tool = concat!("export ", env!("CARGO_PKG_VERSION"));
    let model = Model { head: head.clone(), towers };
    model::write_bundle(&model, tool, None, &place)?;

    // Everything from the file from here on.
    let Model { head, towers } = Model::open(place.temporary(), &[])?;
    let features = features_of_probes(&head, towers)?;
    let scores = head::Scorer::of(&head)?.of_rows(&features);
    let parity = Parity::of(config, &head, &features, &scores, parity::TOLERANCE)?.gate()?;
    model::write_bundle(&model, tool, Some(parity.figures()), &place)?;
    // The same networks, and the disk still holds what was written.
    Model::open_head(place.temporary())?;
    cli::finishing();
    place.commit()?;
    Ok(parity)
}

/// What the networks make of the probes: (4, d).
fn features_of_probes(head: &Head, towers: Vec<Tower>) -> Result<Vec<f32>> {
    let layout = Layout::new(head, &towers)?;
    let run = |tower: Tower| parity::run_probes_apart(tower.bound, &tower.recipe);
    let outputs = towers.into_iter().map(run).collect::<Result<Vec<_>>>()?;
    let mut features = vec![0.0; PROBES * layout.dim()];
    for (tower, outputs) in outputs.iter().enumerate() {
        // Else whoever opens the bundle would refuse it, whatever --tolerance says here.
        model::check_probes(head, &layout, tower, "the bundle", outputs)
            .map_err(|error| GateError(error.to_string()))?;
    }
    for (probe, row) in features.chunks_exact_mut(layout.dim()).enumerate() {
        for (tower, outputs) in outputs.iter().enumerate() {
            layout.put_exact(tower, outputs, probe, row);
        }
    }
    Ok(features)
}
