//! What `config.json` says: the network and the classes in the library's words, and under a key of our own what only we know.

use super::{FORMAT, Form, HubModel, OWN, Pictures, layout::Layout, prepare::Prepared};
use crate::backbone::taps;
use anyhow::Result;
use sample::targets::Task;
use serde_json::{Map, Value, json};

impl HubModel<'_> {
    /// How another library's class holds it; `None` of layers of Keras'.
    fn layout(&self) -> Option<&Layout> {
        match &self.form {
            Form::Pictures(pictures) => pictures.theirs.as_ref().map(|theirs| &theirs.layout),
            Form::Texts(texts) => Some(texts.layout()),
        }
    }

    /// How pictures are made, in another library's words.
    fn prepared(&self) -> Option<&Prepared> {
        match &self.form {
            Form::Pictures(Pictures { theirs: Some(theirs), .. }) => Some(&theirs.prepared),
            _ => None,
        }
    }

    /// What the hub calls what it does.
    pub(super) fn pipeline(&self) -> &'static str {
        match self.form {
            Form::Pictures(_) => "image-classification",
            Form::Texts(_) => "text-classification",
        }
    }

    /// What the card calls a sample.
    pub(super) fn noun(&self) -> &'static str {
        match self.form {
            Form::Pictures(_) => "picture",
            Form::Texts(_) => "text",
        }
    }

    /// Whether transformers has to be allowed to run the class that lies in the folder.
    pub(super) fn needs_trust(&self) -> bool {
        self.layout().is_some_and(|layout| layout.needs_trust)
    }

    /// Whether the classifier is a convolution of 1×1, as SqueezeNet's.
    pub(super) fn convolves(&self) -> bool {
        self.layout().is_some_and(|layout| layout.convolves)
    }

    /// The library that opens the folder.
    pub(super) fn library(&self) -> &'static str {
        self.layout().map_or("keras", |layout| layout.library)
    }

    /// The name of torchvision's network, where it is one of a state dictionary.
    pub(super) fn torchvision(&self) -> Option<&str> {
        (self.library() == "torchvision").then_some(self.name)
    }

    /// What `preprocessor_config.json` holds, where there is one.
    pub(super) fn processor(&self) -> Option<&Value> {
        match self.prepared() {
            Some(Prepared::Processor(processor)) => Some(processor),
            _ => None,
        }
    }

    /// What opens the folder, in words.
    pub(super) fn opened_by(&self) -> String {
        let Some(layout) = self.layout() else { return "Keras".to_owned() };
        match layout.config.get("architecture").and_then(Value::as_str) {
            Some(architecture) => format!("{} with timm's {architecture}", layout.class),
            None => layout.class.to_owned(),
        }
    }

    /// What `config.json` holds. `weights`: the digest of the backbone's.
    pub(super) fn config(&self, weights: store::Digest) -> Result<Value> {
        let head = self.head;
        let mut config = self.layout().map_or_else(Map::new, |layout| layout.config.clone());
        match self.library() {
            "timm" => {
                config.insert("num_classes".to_owned(), head.classes.len().into());
                config.insert("label_names".to_owned(), json!(head.classes));
            }
            "transformers" => {
                let numbered = head.classes.iter().enumerate();
                let named: Map<String, Value> =
                    numbered.clone().map(|(i, class)| (i.to_string(), class.as_str().into())).collect();
                let back: Map<String, Value> = numbered.map(|(i, class)| (class.clone(), i.into())).collect();
                config.insert("id2label".to_owned(), Value::Object(named));
                config.insert("label2id".to_owned(), Value::Object(back));
            }
            _ => {
                config.insert("classes".to_owned(), json!(head.classes));
            }
        }
        if ["transformers", "timm"].contains(&self.library()) {
            let problem = match head.task() {
                Task::Class => "single_label_classification",
                Task::Labels => "multi_label_classification",
                Task::Numbers => "regression",
            };
            config.insert("problem_type".to_owned(), problem.into());
        }
        if let Some(Prepared::Timm(cfg)) = self.prepared() {
            let mut cfg = cfg.clone();
            // Which of several networks of one architecture it is.
            if let (Some((_, tag)), "timm") = (self.name.split_once('.'), self.library()) {
                cfg["tag"] = tag.into();
            }
            config.insert("pretrained_cfg".to_owned(), cfg);
            if self.library() == "transformers" {
                // timm's, beside a network of transformers: the only one whose pixels are Pillow's without being asked.
                config.insert("image_processor_type".to_owned(), "TimmWrapperImageProcessor".into());
            }
        }
        config.insert(OWN.to_owned(), self.own(weights)?);
        Ok(Value::Object(config))
    }

    /// What only we know of the model.
    fn own(&self, weights: store::Digest) -> Result<Value> {
        let head = self.head;
        // By way of text, which has the digits that people wrote: 0.485, and not what is next to it in f32.
        let recipe: Value = serde_json::from_str(&serde_json::to_string(self.recipe)?)?;
        let mut own = json!({
            "format": FORMAT,
            "version": 1,
            "backbone": self.name,
            "tap": taps(head),
            "task": head.task().name(),
            "preprocessing": recipe,
            "lineage": {
                "weights": weights,
                "head": head.digest(),
                "features": head.features,
            },
        });
        if let Some(threshold) = head.reject_threshold() {
            own["reject_threshold"] = threshold.into();
        }
        if let Some(thresholds) = head.label_thresholds() {
            own["label_thresholds"] = serde_json::to_value(thresholds)?;
        }
        Ok(own)
    }
}
