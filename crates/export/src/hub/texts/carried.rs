//! What is carried over from the folder, or the GGUF file, that the network was read from.

use anyhow::{Result, bail};
use network::{Dialect, Network, Node, Op, Pairs, Rotary};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, path::Path};
use weights::{Bound, Tensor};

/// Where our own reader looks for whether neighbours are turned.
const INTERLEAVES: &str = "rope_interleave";

/// What a configuration says that is nothing of the network: of another head, of other code, of how numbers are stored or run.
const OTHERS: [&str; 24] = [
    "_name_or_path",
    "_attn_implementation",
    "_attn_implementation_autoset",
    "architectures",
    "attn_implementation",
    "auto_map",
    "custom_pipelines",
    "dtype",
    "finetuning_task",
    "headstart",
    "id2label",
    "label2id",
    "num_labels",
    "output_attentions",
    "output_hidden_states",
    "problem_type",
    "pruned_heads",
    "quantization_config",
    "return_dict",
    INTERLEAVES,
    "task_specific_params",
    "torch_dtype",
    "torchscript",
    "transformers_version",
];

/// Words of Nomic's own code, which transformers passes over, and its own.
const NOMIC: [(&str, &str); 7] = [
    ("activation_function", "hidden_act"),
    ("layer_norm_epsilon", "layer_norm_eps"),
    ("n_embd", "hidden_size"),
    ("n_head", "num_attention_heads"),
    ("n_inner", "intermediate_size"),
    ("n_layer", "num_hidden_layers"),
    ("n_positions", "max_position_embeddings"),
];

/// What transformers' `config.json` says of the network that lies there, and whether queries and keys are turned by neighbours
/// there, as llama.cpp does and transformers does not. `None` where nothing says it. It was read before, and the graph that it
/// describes is the one that computed the features.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn config(path: &Path) -> Result<Option<(Map<String, Value>, bool)>> {
    let Some(Value::Object(mut config)) = backbone::config_of_texts(path)? else { return Ok(None) };
    let by_neighbours = config.get(INTERLEAVES) == Some(&Value::Bool(true));
    config.retain(|key, _| !OTHERS.contains(&key.as_str()));
    if config.get("model_type").is_some_and(|kind| kind == "nomic_bert") {
        of_nomic(&mut config);
    }
    // Nothing is ever added to a text.
    config.insert("use_cache".to_owned(), false.into());
    Ok(Some((config, by_neighbours)))
}

/// Says in transformers' words what only Nomic's say.
fn of_nomic(config: &mut Map<String, Value>) {
    let is_said = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    for (own, word) in NOMIC {
        if let Some(said) = config.remove(own)
            && is_said(Some(&said))
            && !is_said(config.get(word))
        {
            config.insert(word.to_owned(), said);
        }
    }
    // Its word for silu behind a gate.
    if config.get("hidden_act").is_some_and(|said| said == "swiglu") {
        config.insert("hidden_act".to_owned(), "silu".into());
    }
    let theta = config.remove("rotary_emb_base").filter(|theta| is_said(Some(theta)));
    if let Some(theta) = theta
        && !["rope_parameters", "rope_theta"].iter().any(|word| is_said(config.get(*word)))
    {
        config.insert("rope_parameters".to_owned(), json!({"rope_type": "default", "rope_theta": theta}));
    }
}

/// What transformers calls the network's tensors.
///
/// # Errors
/// Where the weights cannot be read.
pub(super) fn dialect(network: &Network, path: &Path) -> Result<Dialect> {
    let found = weights::dialect(network, &*weights::open(path)?);
    // Of networks that llama.cpp has, transformers' names are our own.
    Ok(if found.name == "GGUF" { Dialect::OWN } else { found })
}

/// Whether both networks compute the same, but for which numbers of queries and keys are turned together.
pub(super) fn are_alike(a: &Network, b: &Network) -> bool {
    let halved = |op: &Op| match op {
        Op::Rotary(how) => Op::Rotary(Rotary { pairs: Pairs::Halves, ..*how }),
        op => op.clone(),
    };
    let nodes = |network: &Network| -> Vec<_> {
        let node = |node: &Node| (node.name.clone(), halved(&node.op), node.inputs.clone());
        network.nodes().iter().map(node).collect()
    };
    (a.params(), a.outputs()) == (b.params(), b.outputs()) && nodes(a) == nodes(b)
}

/// The same numbers for queries and keys that are turned by halves.
///
/// # Errors
/// Where something else than a dense layer gives them.
pub(super) fn turned_by_halves(bound: Bound) -> Result<Bound> {
    let mut orders: HashMap<String, Vec<usize>> = HashMap::new();
    let network = bound.network();
    for node in network.nodes() {
        let Op::Rotary(how) = node.op else { continue };
        let Op::Linear { weight, bias } = network.node(node.inputs[0]).op else {
            bail!("`{}` turns neighbours, which transformers does not", node.name);
        };
        for param in [Some(weight), bias].into_iter().flatten().map(|param| network.param(param)) {
            orders.insert(param.name.clone(), by_halves(param.shape[0], &how));
        }
    }
    let (network, tensors) = bound.into_parts();
    let mut tensors = tensors.into_iter();
    Ok(Bound::from_tensors(network, "the backbone", |param| {
        let Tensor { shape, data } = tensors.next()?;
        let Some(order) = orders.get(&param.name) else { return Some(Tensor { shape, data }) };
        let width = data.len() / order.len().max(1);
        let rows = order.iter().flat_map(|row| data[row * width..][..width].iter().copied());
        Some(Tensor { data: rows.collect(), shape })
    })?)
}

/// Which row of a dense layer comes to each place: of every head the first of each pair, then the second of each.
fn by_halves(rows: usize, how: &Rotary) -> Vec<usize> {
    let place = |row: usize| {
        let (head, at, half) = (row / how.depth * how.depth, row % how.depth, how.turned / 2);
        match at {
            at if at < half => head + 2 * at,
            at if at < how.turned => head + 2 * (at - half) + 1,
            at => head + at,
        }
    };
    (0..rows).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nomic_s_words_become_transformers() {
        let said = |value: Value| match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let mut config = said(json!({
            "model_type": "nomic_bert", "n_embd": 64, "n_layer": 6, "num_hidden_layers": null, "n_inner": null,
            "activation_function": "swiglu", "rotary_emb_base": 10000, "n_head": 4, "num_attention_heads": 8
        }));
        of_nomic(&mut config);
        let expected = json!({
            "model_type": "nomic_bert", "hidden_size": 64, "num_hidden_layers": 6, "hidden_act": "silu",
            "num_attention_heads": 8, "rope_parameters": {"rope_type": "default", "rope_theta": 10000}
        });
        assert_eq!(Value::Object(config), expected);
    }

    #[test]
    fn the_first_of_each_pair_come_first() {
        let how = Rotary { depth: 6, turned: 4, theta: 1e4, pairs: Pairs::Neighbours, scaling: None };
        assert_eq!(by_halves(12, &how), [0, 2, 1, 3, 4, 5, 6, 8, 7, 9, 10, 11]);
    }
}
