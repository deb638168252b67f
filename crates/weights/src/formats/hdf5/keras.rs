//! What Keras' layers call their weights, from where files keep them.
//!
//! A weight gets the name `LAYER/WEIGHT`, such as `block1_conv1/kernel`, whichever Keras wrote the file:
//!
//! | written by | kept at |
//! |---|---|
//! | Keras 1 | `block1_conv1/block1_conv1_W_1:0` |
//! | Keras 2, `.h5` of Keras 3 | `block1_conv1/block1_conv1/kernel:0`, whole models below `model_weights/` |
//! | Keras 3.5 and later | `layers/conv2d/vars/0`, with the layer's name as an attribute of `vars` |
//! | Keras 2.12 to 3.4, `.keras` | the same, or `_layer_checkpoint_dependencies/conv2d/vars/0`, with names in `config.json` |
//!
//! Names that Keras counts, such as `conv2d_17`, are counted anew from 0, since they follow from what else was built before.
//! Whatever fits none of this keeps its path.

use super::guard::MOST_NAME;
use hdf5_reader::{Datatype, RawAttribute, group::Group};
use std::collections::{BTreeMap, BTreeSet};

/// Where weights of layers are kept by class: by Keras 3, and by Keras 2.12 to 2.15.
const ROOTS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];

/// Where a data set or a group is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    path: Vec<String>,
    /// How many groups of the path name the layer: the last of them lists its weights.
    layer: Option<usize>,
    /// The layer's name, as Keras 3 says it.
    name: Option<String>,
}

impl Place {
    /// What bears that name in this group.
    pub(super) fn below(&self, name: &str) -> Result<Place, String> {
        let length: usize = self.path.iter().map(String::len).sum();
        if length + name.len() > MOST_NAME {
            return Err(format!("a path has more than {MOST_NAME} bytes"));
        }
        let mut place = self.clone();
        place.path.push(name.to_owned());
        Ok(place)
    }

    /// With what the attributes of this group tell.
    pub(super) fn with_attributes(&self, group: &Group, attributes: &[RawAttribute]) -> Place {
        let mut place = self.clone();
        // Long lists are cut into `weight_names0`, `weight_names1` …
        if attributes.iter().any(|attribute| attribute.name().starts_with("weight_names")) {
            place.layer = Some(self.path.len());
        }
        if self.path.last().is_some_and(|last| last == "vars") {
            let name = attributes.iter().find(|attribute| attribute.name() == "name");
            place.name = name.and_then(|name| text(group, name));
        }
        place
    }
}

/// Adds what layers are called, by path, where nothing else says it.
///
/// # Errors
/// Where layers' weights are there, and nothing says the name of any layer.
pub(super) fn complete(places: &mut [Place], names: &BTreeMap<String, String>) -> Result<(), String> {
    let (mut unnamed, mut named) = (false, false);
    for Place { path, name, .. } in places {
        let [root, layer @ .., vars, _] = path.as_slice() else { continue };
        if !ROOTS.contains(&root.as_str()) || layer.is_empty() || vars != "vars" {
            continue;
        }
        if name.is_none() {
            let path: Vec<&str> = std::iter::once(ROOTS[0]).chain(layer.iter().map(String::as_str)).collect();
            *name = names.get(&path.join("/").replace(ROOTS[1], ROOTS[0])).cloned();
        }
        *(if name.is_some() { &mut named } else { &mut unnamed }) = true;
    }
    if unnamed && !named {
        return Err("it does not say what its layers are called, as Keras before 3.5 wrote such files; save the model as \
                    `.keras` or `.h5`"
            .to_owned());
    }
    Ok(())
}

/// A short text that an attribute holds, of fixed length or in a global heap. Lists are not read.
fn text(group: &Group, attribute: &RawAttribute) -> Option<String> {
    let message = attribute.message();
    let bytes = match message.datatype {
        Datatype::String { .. } => message.raw_data.clone(),
        Datatype::VarLen { .. } => group.resolve_vlen_reference_bytes(&message.raw_data, 1).ok()?,
        _ => return None,
    };
    let text = std::str::from_utf8(&bytes).ok()?.trim_end_matches('\0');
    (text.len() <= MOST_NAME).then(|| text.to_owned())
}

/// A name for every data set, no two alike.
pub(super) fn names(places: &[Place]) -> Vec<String> {
    let layers = layers(places);
    let counted = counted(layers.iter().flatten().map(|layer| layer.layer.as_str()));
    let path = |place: &Place| place.path.join("/");
    let named = layers.iter().zip(places).map(|(weight, place)| match weight {
        None => path(place),
        Some(Weight { layer, weight }) => {
            let layer = counted.get(layer.as_str()).unwrap_or(layer);
            format!("{layer}/{weight}")
        }
    });
    let mut names: Vec<String> = named.collect();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for name in &names {
        *times.entry(name.clone()).or_default() += 1;
    }
    for (name, place) in names.iter_mut().zip(places) {
        if times[name] > 1 {
            *name = path(place);
        }
    }
    names
}

/// A weight of a layer.
struct Weight {
    layer: String,
    weight: String,
}

fn layers(places: &[Place]) -> Vec<Option<Weight>> {
    // How many weights lie in a group.
    let mut beside: BTreeMap<&[String], usize> = BTreeMap::new();
    // Where the weights of a layer lie below it.
    let mut scopes: BTreeMap<&[String], Option<&[String]>> = BTreeMap::new();
    for Place { path, layer, .. } in places {
        let Some((_, group)) = path.split_last() else { continue };
        *beside.entry(group).or_default() += 1;
        if let Some((layer, scope)) = layer.and_then(|layer| group.split_at_checked(layer)) {
            let one = scopes.entry(layer).or_insert(Some(scope));
            *one = one.filter(|one| *one == scope);
        }
    }
    let weight = |place: &Place| {
        let (last, group) = place.path.split_last()?;
        if let Some((layer, scope)) = place.layer.and_then(|layer| group.split_at_checked(layer)) {
            // Weights of a whole network are kept as those of one layer where it is a part of another.
            let is_layer = scopes.get(layer).is_some_and(Option::is_some) || scope.is_empty();
            let name = if is_layer { layer } else { scope };
            let name = name.strip_prefix(&["model_weights".to_owned()][..]).unwrap_or(name).join("_");
            return Some(Weight { weight: old_weight(last, &name), layer: name });
        }
        let class = group.len().checked_sub(2).and_then(|class| group.get(class))?;
        if place.path.first().is_some_and(|first| first == "optimizer") {
            return None;
        }
        let weight = new_weight(uncounted(class).0, last.parse().ok()?, beside[group]);
        Some(Weight { layer: place.name.clone()?, weight })
    };
    let mut weights: Vec<Option<Weight>> = places.iter().map(weight).collect();
    // Keras 2 calls a depthwise convolution's kernel so, Keras 3 `kernel`; a separable one has two of them.
    let separable: BTreeSet<String> = weights
        .iter()
        .flatten()
        .filter(|weight| weight.weight == "pointwise_kernel")
        .map(|weight| weight.layer.clone())
        .collect();
    for weight in weights.iter_mut().flatten() {
        if weight.weight == "depthwise_kernel" && !separable.contains(&weight.layer) {
            "kernel".clone_into(&mut weight.weight);
        }
    }
    weights
}

/// `kernel` from `kernel:0`, and from Keras 1's `LAYER_W_1:0`.
fn old_weight(last: &str, layer: &str) -> String {
    let last = last.split(':').next().unwrap_or_default();
    let Some(weight) = last.strip_prefix(layer).and_then(|rest| rest.strip_prefix('_')) else {
        return last.to_owned();
    };
    match uncounted(weight).0 {
        "W" => "kernel",
        "b" => "bias",
        "running_mean" => "moving_mean",
        // It is the variance, whatever it is called.
        "running_std" => "moving_variance",
        other => other,
    }
    .to_owned()
}

/// What the weight at that place is, of so many, in the order in which a layer of that class makes them.
fn new_weight(class: &str, at: usize, count: usize) -> String {
    let order: &[&str] = match (class, count) {
        ("batch_normalization", 4) => &["gamma", "beta", "moving_mean", "moving_variance"],
        ("batch_normalization", 3) => &["beta", "moving_mean", "moving_variance"],
        ("batch_normalization", 2) => &["moving_mean", "moving_variance"],
        ("separable_conv2d", _) => &["depthwise_kernel", "pointwise_kernel", "bias"],
        ("normalization", _) => &["mean", "variance", "count"],
        ("layer_normalization", _) => &["gamma", "beta"],
        _ => &["kernel", "bias"],
    };
    order.get(at).map_or_else(|| at.to_string(), |weight| (*weight).to_owned())
}

/// `conv2d` and 17 from `conv2d_17`.
fn uncounted(name: &str) -> (&str, Option<u32>) {
    match name.rsplit_once('_') {
        Some((stem, number)) => match number.parse() {
            Ok(number) => (stem, Some(number)),
            Err(_) => (name, None),
        },
        None => (name, None),
    }
}

/// New names of layers that Keras named after their class and a number.
fn counted<'a>(layers: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, String> {
    const CLASSES: [&str; 5] =
        ["conv2d", "batch_normalization", "depthwise_conv2d", "separable_conv2d", "normalization"];
    let mut numbers: BTreeMap<&str, BTreeMap<Option<u32>, &str>> = BTreeMap::new();
    for layer in layers {
        let (class, number) = uncounted(layer);
        if CLASSES.contains(&class) {
            numbers.entry(class).or_default().insert(number, layer);
        }
    }
    let renamed = numbers.into_iter().flat_map(|(class, layers)| {
        let layers = layers.into_values().enumerate();
        layers.map(move |(rank, layer)| (layer, format!("{class}_{rank}")))
    });
    renamed.collect()
}
