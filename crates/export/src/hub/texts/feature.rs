//! What a head reads of a network of texts, in words that `modeling_headstart.py` knows.

use anyhow::{Context, Result, bail};
use network::{Activation, Network, NodeId, Op};
use serde::Serialize;

/// Taps that pool the tokens of the last layer, as the class calls them too.
const POOLINGS: [&str; 4] = ["cls", "mean", "max", "last"];

/// A tap, and how its vector is made of transformers' hidden states.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Feature {
    pub(super) tap: String,
    /// Which hidden states; -1 is the last.
    layer: i64,
    /// One after the other, where there are several. `pooler` is transformers' own.
    pooling: Vec<&'static str>,
    /// Of each layer behind the pooling its inputs and outputs, whether it has a bias, and what comes after it.
    dense: Vec<(usize, usize, bool, Option<Activation>)>,
    /// Whether the vector is divided by its length.
    normalized: bool,
}

impl Feature {
    /// # Errors
    /// Where the tap is none that transformers gives.
    pub(super) fn of(network: &Network, tap: &str) -> Result<Feature> {
        let of_layer = |layer, pooling| Feature {
            tap: tap.to_owned(),
            layer,
            pooling: vec![pooling],
            dense: Vec::new(),
            normalized: false,
        };
        if let Some(pooling) = POOLINGS.into_iter().find(|pooling| *pooling == tap) {
            return Ok(of_layer(-1, pooling));
        }
        match (tap, tap.strip_prefix("layer:").and_then(|layer| layer.parse().ok())) {
            (_, Some(layer)) => Ok(of_layer(layer, "mean")),
            ("pooled", _) => Ok(of_layer(-1, "pooler")),
            ("sentence", _) => Feature::sentence(network),
            _ => bail!(
                "the head reads `{tap}` of {}, which transformers' networks do not give; extract a tap such as mean, or export --to onnx or bundle",
                network.name()
            ),
        }
    }

    /// Of a sentence's vector, from its end to the tokens that it is made of.
    fn sentence(network: &Network) -> Result<Feature> {
        let mut at = network.resolve("sentence")?;
        let (mut dense, mut normalized, mut after) = (Vec::new(), false, None);
        loop {
            let node = network.node(at);
            match &node.op {
                Op::Normalize => normalized = true,
                Op::Activation { function } => after = Some(*function),
                Op::Linear { weight, bias } => {
                    let &[outputs, inputs] = network.param(*weight).shape.as_slice() else {
                        bail!("`{}` is no dense layer", node.name);
                    };
                    dense.insert(0, (inputs, outputs, bias.is_some(), after.take()));
                }
                _ => break,
            }
            at = *node.inputs.first().context("a layer reads nothing")?;
        }
        let parts = match &network.node(at).op {
            Op::Concat => network.node(at).inputs.clone(),
            _ => vec![at],
        };
        let called = |node: &NodeId| {
            let found = POOLINGS.into_iter().find(|tap| network.resolve(tap).ok() == Some(*node));
            found.with_context(|| format!("`{}` is no pooling", network.node(*node).name))
        };
        let pooling = parts.iter().map(called).collect::<Result<_>>()?;
        Ok(Feature { tap: "sentence".to_owned(), layer: -1, pooling, dense, normalized })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::families::{
        gpt2::Gpt2,
        text::{Dense, Pooling, Sentence},
    };

    fn network(sentence: &Sentence) -> Network {
        let (activation, eps) = (Activation::GeluTanh, 1e-5);
        let sizes =
            Gpt2 { vocabulary: 9, places: 8, width: 4, depth: 2, heads: 2, hidden: 8, activation, eps };
        sizes.network("gpt2", Some(sentence))
    }

    #[test]
    fn a_sentence_is_said_as_it_is_made() {
        let dense = vec![
            Dense { out: 6, bias: true, activation: Some(Activation::Tanh) },
            Dense { out: 3, bias: false, activation: None },
        ];
        let pooling = vec![Pooling::Last, Pooling::Mean];
        for (sentence, expected) in [
            (
                Sentence { pooling: vec![Pooling::Mean], dense: Vec::new(), normalized: true },
                r#"{"tap":"sentence","layer":-1,"pooling":["mean"],"dense":[],"normalized":true}"#,
            ),
            (
                Sentence { pooling: vec![Pooling::Max], dense: Vec::new(), normalized: false },
                r#"{"tap":"sentence","layer":-1,"pooling":["max"],"dense":[],"normalized":false}"#,
            ),
            (
                Sentence { pooling, dense, normalized: true },
                r#"{"tap":"sentence","layer":-1,"pooling":["last","mean"],"dense":[[8,6,true,"tanh"],[6,3,false,null]],"normalized":true}"#,
            ),
        ] {
            let feature = Feature::of(&network(&sentence), "sentence").unwrap();
            assert_eq!(serde_json::to_string(&feature).unwrap(), expected);
        }
    }

    #[test]
    fn other_taps() {
        let plain = Sentence { pooling: vec![Pooling::Mean], dense: Vec::new(), normalized: false };
        let network = network(&plain);
        let said = |tap: &str| Feature::of(&network, tap).map(|feature| (feature.layer, feature.pooling));
        assert_eq!(said("layer:1").unwrap(), (1, vec!["mean"]));
        assert_eq!(said("last").unwrap(), (-1, vec!["last"]));
        assert_eq!(said("pooled").unwrap(), (-1, vec!["pooler"]));
        assert!(said("h.0.sum").unwrap_err().to_string().contains("`h.0.sum` of gpt2"));
    }
}
