//! How a folder is used: a few lines of Python.

use super::super::{Form, HubModel, keras, prepare::Prepared, texts::Texts};
use sample::targets::Task;
use serde_json::{Value, json};

/// The lines, and what to know of them.
pub(super) fn usage(model: &HubModel<'_>, name: &str) -> String {
    let code = |lines: &str| format!("```python\n{lines}\n```\n");
    let pictures = match &model.form {
        Form::Texts(texts) => return of_texts(model, texts, name),
        Form::Pictures(pictures) => pictures,
    };
    let Some(prepared) = pictures.theirs.as_ref().map(|theirs| &theirs.prepared) else {
        return format!(
            "In this folder, with keras, one of its backends, and Pillow:\n\n{}\nThe model takes RGB from 0 to 255. Its layers do the rest.\n",
            code(&keras::usage(model, pictures.how))
        );
    };
    if model.torchvision().is_some() {
        return format!(
            "In this folder, with torch, torchvision, safetensors and Pillow:\n\n{}",
            code(&loader(model, prepared))
        );
    }
    let (name, (trust, note)) = (json!(name), trust(model));
    let torch = if model.needs_trust() { "torch, torchvision" } else { "torch" };
    match prepared {
        Prepared::Timm(_) => {
            let lines = format!(
                "from transformers import pipeline\nclassify = pipeline(\"image-classification\", model={name}{trust})\nprint(classify(\"photo.jpg\"))"
            );
            format!(
                "With {torch}, transformers and timm, which prepares the pictures:\n\n{}{note}",
                code(&lines)
            )
        }
        Prepared::Processor(_) => {
            let lines = format!(
                "from transformers import AutoImageProcessor, pipeline\nexact = AutoImageProcessor.from_pretrained({name}, backend=\"pil\")\n\
                 print(pipeline(\"image-classification\", model={name}, image_processor=exact{trust})(\"photo.jpg\"))"
            );
            format!(
                "With {torch} and transformers:\n\n{}\nWithout `image_processor`, pictures are resized and cropped a little otherwise.\n{note}",
                code(&lines)
            )
        }
    }
}

/// What allows transformers to run what lies in the folder, as an argument and as a paragraph.
fn trust(model: &HubModel<'_>) -> (&'static str, &'static str) {
    match model.needs_trust() {
        true => (
            ", trust_remote_code=True",
            "\n`trust_remote_code=True` allows transformers to run `modeling_headstart.py`, which lies here.\n",
        ),
        false => ("", ""),
    }
}

fn of_texts(model: &HubModel<'_>, texts: &Texts, name: &str) -> String {
    let (trust, note) = trust(model);
    let all = if model.head.task() == Task::Class { "" } else { ", top_k=None" };
    format!(
        "With torch and transformers:\n\n```python\nfrom transformers import pipeline\n\
         classify = pipeline(\"text-classification\", model={}{trust}, truncation=True)\n\
         print(classify(\"It came on Tuesday, two days late.\"{all}))\n```\n\n\
         `truncation=True` cuts texts off after {} tokens.\n{note}",
        json!(name),
        texts.max_tokens(),
    )
}

/// A loader of a state dictionary, of twelve lines at most.
fn loader(model: &HubModel<'_>, prepared: &Prepared) -> String {
    let Prepared::Timm(cfg) = prepared else { return String::new() };
    let side = |at: usize| cfg["input_size"][at].as_u64().unwrap_or_default();
    let part = cfg["crop_pct"].as_f64().unwrap_or(1.0);
    let (height, width) = (side(1), side(2));
    let whole = |side: u64| (side as f64 / part).floor();
    let resize = match cfg["crop_mode"].as_str() {
        Some("squash") => format!("({}, {})", whole(height), whole(width)),
        _ => whole(height).to_string(),
    };
    let filter = cfg["interpolation"].as_str().unwrap_or("bilinear").to_uppercase();
    let list = |key: &str| Value::to_string(&cfg[key]);
    let ending = match model.head.task() {
        Task::Class => "print(config[\"classes\"][logits.argmax()])",
        Task::Labels => "print(dict(zip(config[\"classes\"], logits.sigmoid().tolist())))",
        Task::Numbers => "print(dict(zip(config[\"classes\"], logits.tolist())))",
    };
    // A ReLU stands between SqueezeNet's classifier and the mean.
    let logits = match model.convolves() {
        true => "logits = model.classifier[1](model.eval().features(prepare(image)[None])).mean((2, 3))[0]",
        false => "logits = model.eval()(prepare(image)[None])[0]",
    };
    format!(
        "import json, torchvision\n\
         from PIL import Image, ImageOps\n\
         from safetensors.torch import load_file\n\
         from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor\n\
         config = json.load(open(\"config.json\"))\n\
         model = torchvision.models.get_model(config[\"torchvision\"], num_classes=len(config[\"classes\"]), **config[\"arguments\"])\n\
         model.load_state_dict(load_file(\"model.safetensors\"))\n\
         prepare = Compose([Resize({resize}, InterpolationMode.{filter}), CenterCrop(({height}, {width})), ToTensor(),\n\
         {pad}Normalize({mean}, {std})])\n\
         image = ImageOps.exif_transpose(Image.open(\"photo.jpg\")).convert(\"RGB\")\n\
         {logits}\n\
         {ending}",
        pad = " ".repeat(19),
        mean = list("mean"),
        std = list("std"),
    )
}
