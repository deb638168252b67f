//! The written folder as somebody else's: read by its own configuration, and run on the probes.

use super::{HubModel, prepare::essence, tensors::WEIGHTS, theirs::Theirs};
use crate::parity;
use anyhow::{Context, Result, bail};
use backbone::Wanted;
use input::{Recipe, image::Preprocessing};
use network::{Network, Op};
use std::path::Path;
use weights::{Dense, Tensor};

/// Features, in the head's order, and logits of the probes, by what lies in the folder and nothing else.
///
/// # Errors
/// Where it cannot be read, or is of another network or recipe than it should be.
pub(crate) fn run(
    folder: &Path,
    model: &HubModel<'_>,
    (own, (height, width)): (&Preprocessing, (usize, usize)),
    theirs: &Theirs,
    network: &Network,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let file = folder.join(WEIGHTS);
    let wanted = match model.torchvision() {
        Some(name) => {
            Wanted { name: Some(name), weights: Some(&file), taps: &[], size: None, prepared: true }
        }
        None => Wanted { name: None, weights: Some(folder), taps: &[], size: None, prepared: false },
    };
    let found = backbone::find(wanted)?;
    if let Some(Recipe::Image(said)) = &found.recipe
        && model.torchvision().is_none()
        && essence(said) != essence(own)
    {
        bail!("the folder's preprocessing reads as another than it should: {said:?} instead of {own:?}");
    }
    let of_head: Vec<&str> = theirs.taps.iter().map(String::as_str).collect();
    if !are_alike(&found.network.for_taps(&of_head)?, network) {
        bail!("the folder's configuration reads as another network than {}", model.name);
    }
    let reads: Vec<&str> = theirs.layout.reads.iter().map(String::as_str).collect();
    let bound = found.bind(&reads)?;
    let widths = bound.network().widths(height, width)?;
    let read = parity::run_probes(bound, model.recipe)?;
    let tensors = weights::open(&file)?;
    let tensor = |part: &str| -> Result<Tensor> {
        let name = format!("{}.{part}", theirs.layout.classifier);
        tensors.read(&name)?.with_context(|| format!("the exported folder lacks the tensor `{name}`"))
    };
    let (weight, bias) = (tensor("weight")?, tensor("bias")?);
    let layer =
        Dense { inputs: widths.iter().sum(), outputs: bias.data.len(), weight: weight.data, bias: bias.data };
    let logits = head::logits(std::slice::from_ref(&layer), &read);
    // The classifier may read more than the head does, and in another order.
    let start = |tap: &str| -> usize {
        reads.iter().zip(&widths).take_while(|(read, _)| **read != tap).map(|(_, d)| d).sum()
    };
    let mut features = Vec::new();
    for row in read.chunks(layer.inputs) {
        for tap in &of_head {
            let at = reads
                .iter()
                .position(|read| read == tap)
                .context("the classifier reads no tap of the head")?;
            features.extend(&row[start(tap)..][..widths[at]]);
        }
    }
    Ok((features, logits))
}

/// Whether both compute the same, whatever their nodes are called and however positions come to the size, which they have.
fn are_alike(a: &Network, b: &Network) -> bool {
    let plain = |network: &Network| -> Vec<Op> {
        let any = network.nodes().iter().find_map(|node| node.op.params().first().copied());
        let op = |op: &Op| any.map_or_else(|| op.clone(), |any| op.with_params(|_| any));
        let kept = network.nodes().iter().filter(|node| !matches!(node.op, Op::Tokens { .. }));
        kept.map(|node| op(&node.op)).collect()
    };
    let inputs =
        |network: &Network| network.nodes().iter().map(|node| node.inputs.clone()).collect::<Vec<_>>();
    plain(a) == plain(b) && inputs(a) == inputs(b)
}
