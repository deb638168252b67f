//! What layers are called in `.keras` archives from before Keras 3.5: files of weights name their classes only, and the
//! configuration beside them lists the layers in the same order.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The entry of a `.keras` archive that describes the model.
pub(super) const CONFIG: &str = "config.json";
/// Bytes of one. Those of the largest applications have a megabyte.
pub(super) const MOST_CONFIG: usize = 32 << 20;

/// A layer, or a model, which has layers.
#[derive(Deserialize)]
struct Layer {
    #[serde(default)]
    module: Option<String>,
    class_name: String,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    layers: Vec<Layer>,
}

/// The layers' names by where their weights are kept, such as `layers/conv2d_1`. None where it is no configuration of a model.
pub(super) fn names(config: &[u8]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    if let Ok(model) = serde_json::from_slice::<Layer>(config) {
        list(model.config.layers, "", &mut names);
    }
    names
}

/// serde_json nests 128 deep at most.
fn list(layers: Vec<Layer>, above: &str, names: &mut BTreeMap<String, String>) {
    let mut groups = KerasGroups::default();
    for Layer { module, class_name, config } in layers {
        // Sums and the like, which are written as operators, are no layers.
        if module.is_some_and(|module| module.starts_with("keras.src.ops")) {
            continue;
        }
        let group = groups.next(&class_name);
        let path = format!("{above}layers/{group}");
        list(config.layers, &format!("{path}/"), names);
        names.extend(config.name.map(|name| (path, name)));
    }
}

/// What files call the layers of a model, one after the other: by their classes, counted.
#[derive(Debug, Default)]
pub struct KerasGroups(BTreeMap<String, usize>);

impl KerasGroups {
    /// That of the next layer, which is of this class: `conv2d`, then `conv2d_1`.
    pub fn next(&mut self, class: &str) -> String {
        let class = keras_class(class);
        let count = self.0.entry(class.clone()).or_default();
        let group = if *count == 0 { class } else { format!("{class}_{count}") };
        *count += 1;
        group
    }
}

/// What files call a class of layers: `batch_normalization` from `BatchNormalization`, as Keras' `to_snake_case`.
fn keras_class(class: &str) -> String {
    let letters: Vec<char> = class.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let is =
            |at: Option<usize>, what: fn(&char) -> bool| at.and_then(|at| letters.get(at)).is_some_and(what);
        let begins =
            is(Some(at + 1), char::is_ascii_lowercase) || is(at.checked_sub(1), char::is_ascii_lowercase);
        if at > 0 && letter.is_ascii_uppercase() && begins {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `keras.src.utils.naming.to_snake_case` gives.
    #[test]
    fn classes_are_spelt_as_keras_spells_them() {
        for (class, expected) in [
            ("Conv2D", "conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("SeparableConv2D", "separable_conv2d"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("ReLU", "re_lu"),
            ("LSTM", "lstm"),
            ("GRUCell", "gru_cell"),
            ("Functional", "functional"),
        ] {
            assert_eq!(keras_class(class), expected);
        }
    }

    #[test]
    fn layers_are_counted_by_class_in_every_model() {
        let layer =
            |class: &str, name: &str| format!(r#"{{"class_name":"{class}","config":{{"name":"{name}"}}}}"#);
        let inner = format!(
            r#"{{"class_name":"Functional","config":{{"name":"m","layers":[{},{}]}}}}"#,
            layer("Conv2D", "x"),
            layer("Conv2D", "y")
        );
        let operator = r#"{"module":"keras.src.ops.numpy","class_name":"Conv2D","config":{"name":"o"}}"#;
        let layers = [&layer("Conv2D", "a"), operator, &inner, &layer("Conv2D", "b"), &layer("Dense", "c")]
            .map(str::to_owned);
        let config = format!(
            r#"{{"module":"keras","class_name":"Sequential","config":{{"layers":[{}]}},"x":[1]}}"#,
            layers.join(",")
        );
        let found: Vec<(String, String)> = names(config.as_bytes()).into_iter().collect();
        let expected = [
            ("layers/conv2d", "a"),
            ("layers/conv2d_1", "b"),
            ("layers/dense", "c"),
            ("layers/functional", "m"),
            ("layers/functional/layers/conv2d", "x"),
            ("layers/functional/layers/conv2d_1", "y"),
        ];
        assert_eq!(found, expected.map(|(path, name)| (path.to_owned(), name.to_owned())));
    }

    #[test]
    fn what_is_no_configuration_gives_no_names() {
        let deep =
            format!("{}{}", r#"{"class_name":"A","config":{"layers":["#.repeat(5000), "]}}".repeat(5000));
        for config in ["", "{}", "[1]", r#"{"class_name":"A","config":{"layers":3}}"#, deep.as_str()] {
            assert!(names(config.as_bytes()).is_empty(), "{}", &config[..config.len().min(60)]);
        }
    }
}
