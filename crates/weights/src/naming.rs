//! What a file calls a network's parameters: in whose dialect, and below which prefix.

use crate::{
    Tensors,
    slot::{self, Trouble},
};
use network::{Dialect, Network, Param, Stored, zoo};
use std::collections::BTreeSet;

/// How a file names the parameters of one network.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    pub(crate) dialect: Dialect,
    /// What stands before every name: `module.`, `state_dict.`, `model.visual.`, or nothing.
    pub(crate) prefix: String,
    /// How many parameters the file has under these names.
    found: usize,
}

/// Prefixes that are tried, at most.
const MOST_PREFIXES: usize = 16;

/// Words in names of copies that average over training steps.
const AVERAGED: [&str; 4] = ["ema", "teacher", "averaged", "target"];

/// What stands for a head, a text tower, or a part of training, beside averaged copies: the first module of its name, as a whole.
const OTHER_PARTS: [&str; 36] = [
    "head",
    "lm_head",
    "output",
    "heads",
    "head_dist",
    "fc",
    "classifier",
    "classifiers",
    "dense",
    "batch_normalization",
    "last_linear",
    "pre_logits",
    "logits",
    "predictions",
    "AuxLogits",
    "aux1",
    "aux2",
    "aux_classifier",
    "pooler",
    "projection_head",
    "contrastive_head",
    "dino_head",
    "ibot_head",
    "decoder",
    "decoder_embed",
    "decoder_pred",
    "decoder_blocks",
    "text_model",
    "text_projection",
    "visual_projection",
    "logit_scale",
    "logit_bias",
    "optimizer",
    "optimizer_weights",
    "picture_bgr",
    "top_level_model_weights",
];

/// Tensors that may be in any file without being parameters: PyTorch counts a batch norm's training steps, Keras the
/// samples that normalisation was fitted on, files of Swin Transformers hold what follows from the size of their windows,
/// a mask token stands for what training hid, and old files of networks of texts hold what follows from places.
const COUNTERS: [&str; 9] = [
    "count",
    "num_batches_tracked",
    "relative_position_index",
    "relative_coords_table",
    "attn_mask",
    "mask_token",
    "position_ids",
    "inv_freq",
    "masked_bias",
];

impl Naming {
    /// The dialect and the prefix under which the file holds most of the network's parameters.
    pub(crate) fn detect(network: &Network, file: &dyn Tensors) -> Naming {
        let names = file.names();
        let mut best = Naming { dialect: Dialect::OWN, prefix: String::new(), found: 0 };
        for dialect in zoo::dialects(network.name()) {
            for prefix in prefixes(network, dialect, &names) {
                let mut naming = Naming { dialect, prefix, found: 0 };
                naming.found = network.params().iter().filter(|param| naming.holds(param, file)).count();
                // One name alone may be another network's, as `features.0.weight` is of many.
                let chance = usize::from(dialect.name != Dialect::OWN.name);
                if naming.found > best.found.max(chance) {
                    best = naming;
                }
            }
        }
        best
    }

    /// Where the file keeps a parameter, or would: below the prefix, or as a head beside what bears it. An averaged copy is not
    /// completed from another.
    pub(crate) fn place(&self, param: &Param, file: &dyn Tensors) -> Stored {
        let plain = self.dialect.place(&param.name);
        let below = plain.clone().below(&self.prefix);
        if !is_averaged(&self.prefix) && !is_there(&below, file) && is_there(&plain, file) {
            plain
        } else {
            below
        }
    }

    /// Whether the file can fill a parameter.
    pub(crate) fn check(&self, param: &Param, file: &dyn Tensors) -> Result<(), Trouble> {
        slot::check(&param.shape, &self.place(param, file), file)
    }

    /// Whether no name of the file is any of the network's.
    pub(crate) fn is_foreign(&self) -> bool {
        self.found == 0
    }

    /// The prefix of another copy that is as whole as this one, where this one is not the averaged.
    pub(crate) fn rival(&self, network: &Network, file: &dyn Tensors) -> Option<String> {
        let whole = |prefix: &str| {
            let is_below = |param: &&Param| {
                let place = self.dialect.place(&param.name).below(prefix);
                !place.names().is_empty() && is_there(&place, file)
            };
            network.params().iter().filter(is_below).count()
        };
        let own = whole(&self.prefix);
        if is_averaged(&self.prefix) || own < 3 {
            return None;
        }
        let others = prefixes(network, self.dialect, &file.names());
        others.into_iter().find(|other| *other != self.prefix && whole(other) >= own)
    }

    fn holds(&self, param: &Param, file: &dyn Tensors) -> bool {
        let place = self.place(param, file);
        !place.names().is_empty() && is_there(&place, file)
    }

    /// The tensors that the whole network has a place for.
    fn known(&self, full: &Network, file: &dyn Tensors) -> BTreeSet<String> {
        let names =
            |param| self.place(param, file).names().into_iter().map(str::to_owned).collect::<Vec<_>>();
        full.params().iter().flat_map(names).collect()
    }

    /// Tensors that the whole network has no place for, and that are no part of a head, of another tower, or of training.
    /// Below a prefix, what does not begin with it is some other part.
    pub(crate) fn extras<'a>(
        &self,
        full: &Network,
        file: &'a dyn Tensors,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        let (known, prefix) = (self.known(full, file), self.prefix.clone());
        file.names().into_iter().filter(move |name| {
            name.strip_prefix(prefix.as_str()).is_some_and(|rest| !is_of_another_part(rest))
                && !known.contains(*name)
                && !is_mask(name, file)
                && !is_shared(name, file)
        })
    }

    /// The tensor of the file that `tensor` may be meant to be, of those that the network has no use for.
    pub(crate) fn nearest(&self, tensor: &str, full: &Network, file: &dyn Tensors) -> Option<String> {
        let known = self.known(full, file);
        let free = file.names().into_iter().filter(|name| !known.contains(*name) && !is_counter(name));
        network::nearest(tensor, free).map(str::to_owned)
    }
}

/// Whether a name is that of a copy which averages over training steps. Of two whole copies in one file, it is the one that is
/// taken, as its authors publish it and as timm's loader takes it.
pub(crate) fn is_averaged(name: &str) -> bool {
    name.split(['.', '/', '_']).any(|word| AVERAGED.contains(&word))
}

/// Whether the file has every tensor of a place.
fn is_there(place: &Stored, file: &dyn Tensors) -> bool {
    place.names().into_iter().all(|name| file.shape(name).is_some())
}

fn is_counter(tensor: &str) -> bool {
    COUNTERS.contains(&tensor.rsplit(['.', '/']).next().unwrap_or_default())
}

/// Whether a tensor says which tokens see which, as old files of GPT-2 do: (1, 1, places, places).
fn is_mask(tensor: &str, file: &dyn Tensors) -> bool {
    tensor.ends_with("attn.bias") && file.shape(tensor).is_some_and(|shape| shape.len() == 4)
}

/// Whether a tensor is T5's table of tokens once more, as its old files have it for either side.
fn is_shared(tensor: &str, file: &dyn Tensors) -> bool {
    tensor.ends_with("coder.embed_tokens.weight") && file.shape("shared.weight") == file.shape(tensor)
}

fn is_of_another_part(tensor: &str) -> bool {
    let part = tensor.split(['.', '/']).next().unwrap_or_default();
    // Keras numbers them: `dense_1`.
    let numbered = part.rsplit_once('_').filter(|(_, number)| number.parse::<u32>().is_ok());
    let known = |part: &str| OTHER_PARTS.contains(&part);
    is_counter(tensor) || is_averaged(part) || known(part) || numbered.is_some_and(|(part, _)| known(part))
}

/// What may stand before a dialect's names: whatever stands before that of some parameter. An averaged copy comes first, then
/// nothing.
fn prefixes(network: &Network, dialect: Dialect, names: &[&str]) -> Vec<String> {
    let mut found = BTreeSet::new();
    // The last parameters belong to the head, which a file may lack.
    let count = network.params().len();
    for param in [0, count / 3, count / 2].into_iter().filter_map(|at| network.params().get(at)) {
        for own in dialect.place(&param.name).names() {
            let before = names.iter().filter_map(|name| name.strip_suffix(own));
            found.extend(before.filter(|prefix| prefix.is_empty() || prefix.ends_with(['.', '/'])));
        }
    }
    let mut found: Vec<&str> = found.into_iter().collect();
    found.sort_by_key(|prefix| (!is_averaged(prefix), !prefix.is_empty()));
    found.truncate(MOST_PREFIXES);
    found.into_iter().map(str::to_owned).collect()
}
