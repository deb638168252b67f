//! How a folder is used: a few lines of Python.

use super::super::{HubModel, keras, prepare::Prepared, theirs::Theirs};
use serde_json::{Value, json};

/// The lines, and what to know of them.
pub(super) fn usage(model: &HubModel<'_>, name: &str) -> String {
    let code = |lines: &str| format!("```python\n{lines}\n```\n");
    let Some(Theirs { prepared, .. }) = &model.theirs else {
        return format!(
            "In this folder, with keras, one of its backends, and Pillow:\n\n{}\nThe model takes RGB from 0 to 255. Its layers do the rest.\n",
            code(&keras::usage(model))
        );
    };
    if model.torchvision().is_some() {
        return format!(
            "In this folder, with torch, torchvision, safetensors and Pillow:\n\n{}",
            code(&loader(model, prepared))
        );
    }
    let name = json!(name);
    match prepared {
        Prepared::Timm(_) => {
            let lines = format!(
                "from transformers import pipeline\nclassify = pipeline(\"image-classification\", model={name})\nprint(classify(\"photo.jpg\"))"
            );
            format!("With torch, transformers and timm, which prepares the pictures:\n\n{}", code(&lines))
        }
        Prepared::Processor(_) => {
            let lines = format!(
                "from transformers import AutoImageProcessor, pipeline\nexact = AutoImageProcessor.from_pretrained({name}, backend=\"pil\")\n\
                 print(pipeline(\"image-classification\", model={name}, image_processor=exact)(\"photo.jpg\"))"
            );
            format!(
                "With torch and transformers:\n\n{}\nWithout `image_processor`, pictures are resized and cropped a little otherwise.\n",
                code(&lines)
            )
        }
    }
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
        sample::targets::Task::Class => "print(config[\"classes\"][logits.argmax()])",
        sample::targets::Task::Labels => "print(dict(zip(config[\"classes\"], logits.sigmoid().tolist())))",
        sample::targets::Task::Numbers => "print(dict(zip(config[\"classes\"], logits.tolist())))",
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
         logits = model.eval()(prepare(image)[None])[0]\n\
         {ending}",
        pad = " ".repeat(19),
        mean = list("mean"),
        std = list("std"),
    )
}
