//! Functions of each number, as Keras has them.

use network::Activation;
use serde_json::{Map, Value, json};

/// Those that are a word.
const WORDS: [(Activation, &str); 9] = [
    (Activation::Relu, "relu"),
    (Activation::Relu6, "relu6"),
    (Activation::Gelu, "gelu"),
    (Activation::Silu, "silu"),
    (Activation::Sigmoid, "sigmoid"),
    (Activation::HardSigmoid, "hard_sigmoid"),
    (Activation::HardSwish, "hard_silu"),
    (Activation::Tanh, "tanh"),
    (Activation::Softplus, "softplus"),
];

/// The layer's class, and what it is told; `None` where Keras has none.
pub(crate) fn layer(function: Activation) -> Option<(&'static str, Value)> {
    if let Some((_, word)) = WORDS.iter().find(|(known, _)| *known == function) {
        return Some(("Activation", json!({"activation": word})));
    }
    match function {
        Activation::LeakyRelu { slope } => Some(("LeakyReLU", json!({"negative_slope": slope}))),
        Activation::Elu { alpha } => Some(("ELU", json!({"alpha": alpha}))),
        Activation::Clip { low: 0.0, high } => Some(("ReLU", json!({"max_value": high}))),
        _ => None,
    }
}

/// The function of such a layer.
pub(crate) fn function(class: &str, config: &Map<String, Value>) -> Option<Activation> {
    let number = |key: &str| Some(config.get(key)?.as_f64()? as f32);
    match class {
        "Activation" => {
            let word = config.get("activation")?.as_str()?;
            WORDS.iter().find(|(_, known)| *known == word).map(|(function, _)| *function)
        }
        "LeakyReLU" => Some(Activation::LeakyRelu { slope: number("negative_slope")? }),
        "ELU" => Some(Activation::Elu { alpha: number("alpha")? }),
        "ReLU" => Some(Activation::Clip { low: 0.0, high: number("max_value")? }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_read_as_they_were_written() {
        let known = Activation::ALL.into_iter().filter_map(|own| Some((own, layer(own)?)));
        let mut count = 0;
        for (own, (class, config)) in known {
            assert_eq!(function(class, config.as_object().unwrap()), Some(own));
            count += 1;
        }
        assert_eq!(count, 11);
        let low = Activation::Clip { low: 0.0, high: 20.0 };
        let (class, config) = layer(low).unwrap();
        assert_eq!(function(class, config.as_object().unwrap()), Some(low));
        assert_eq!(function("Activation", json!({"activation": "selu"}).as_object().unwrap()), None);
    }
}
