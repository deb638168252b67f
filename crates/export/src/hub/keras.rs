//! A network and its head as a model of Keras'.

use super::{HubModel, Pictures, prepare::decoded_plainly};
use crate::parity;
use anyhow::{Result, bail};
use input::image::{Channels, CropRounding, Filter, Preprocessing, Resize};
use keras::{Exported, Image, KerasError, Link};
use network::zoo;
use sample::targets::Task;
use serde_json::{Value, json};
use std::fs::File;
use store::Place;
use weights::{Bound, head_graph};

/// The file that it is written into.
pub(super) const MODEL: &str = "model.keras";

/// Writes the model and reads it back. Gives features and logits of the probes, by what lies in the file and nothing else.
///
/// # Errors
/// Where Keras has no layers that compute the same, or the file cannot be written.
pub(super) fn write_and_run(
    place: &Place,
    model: &HubModel<'_>,
    pictures: &Pictures<'_>,
    backbone: Bound,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let how = pictures.how;
    decoded_plainly(how)?;
    let path = place.temporary().join(MODEL);
    let exported = Exported {
        bound: &backbone.join(head_graph(None, &model.head.layers)?)?,
        size: pictures.size,
        image: Image::of(how.channels == Channels::Bgr, how.divisor, how.mean, how.std),
        link: link(model.head.task()),
        dialect: zoo::find(model.name).ok().and_then(zoo::in_keras),
    };
    let out = File::create(&path).map_err(|error| place.failed(error))?;
    keras::write(out, &exported).map_err(|error| match error {
        KerasError::Io(error) => place.failed(error).into(),
        error => anyhow::Error::from(error)
            .context(format!("{} is no model of Keras'; --to onnx and --to safetensors hold it", model.name)),
    })?;
    let read = keras::read(&path)?;
    if read.link != exported.link {
        bail!("the model ends otherwise than was written");
    }
    // It takes bytes as they are.
    let (channels, divisor, mean, std) = (Channels::Rgb, 1.0, [0.0; 3], [1.0; 3]);
    let bytes = Preprocessing { channels, divisor, mean, std, ..how.clone() };
    let mut outputs = parity::run_probes_apart(read.bound, &bytes.into())?.into_iter();
    match (outputs.next(), outputs.next()) {
        (Some(features), Some(logits)) => Ok((features, logits)),
        _ => bail!("the model has other outputs than were to be written"),
    }
}

fn link(task: Task) -> Link {
    match task {
        Task::Class => Link::Softmax,
        Task::Labels => Link::Sigmoid,
        Task::Numbers => Link::None,
    }
}

/// What Python needs to know of the model to check it: how pictures become its input, and which layer gives logits.
pub(super) fn job(model: &HubModel<'_>, how: &Preprocessing) -> Value {
    json!({"lines": lines(how), "logits": format!("head_{}", model.head.layers.len() - 1)})
}

/// Lines that use the model.
pub(super) fn usage(model: &HubModel<'_>, how: &Preprocessing) -> String {
    let ending = match model.head.task() {
        Task::Class => "print(classes[output.argmax()])",
        Task::Labels | Task::Numbers => "print(dict(zip(classes, output.tolist())))",
    };
    format!(
        "import json, keras, numpy as np\n\
         from PIL import Image, ImageOps\n\
         classes = json.load(open(\"config.json\"))[\"classes\"]\n\
         model = keras.models.load_model(\"model.keras\")\n\
         image = ImageOps.exif_transpose(Image.open(\"photo.jpg\")).convert(\"RGB\")\n\
         {}\n\
         output = model.predict(np.float32(image)[None], verbose=0)[0]\n\
         {ending}",
        lines(how)
    )
}

/// Lines that bring Pillow's `image` to the model's size.
fn lines(how: &Preprocessing) -> String {
    let filter = match how.filter {
        Filter::Bilinear => "BILINEAR",
        Filter::Bicubic => "BICUBIC",
    };
    let mut lines = match how.resize {
        Resize::Exact(height, width) => format!("size = ({width}, {height})"),
        Resize::ShorterSide(side) => {
            format!("size = [int({side} * side / min(image.size)) for side in image.size]")
        }
    };
    lines += &format!("\nimage = image.resize(size, Image.Resampling.{filter})");
    if let Some((height, width)) = how.crop {
        let half = match how.crop_rounding {
            CropRounding::Even => "round((side - crop) / 2) if side >= crop else -((crop - side) // 2)",
            CropRounding::Down => "(side - crop) // 2",
        };
        lines += &format!(
            "\nleft, top = [{half} for side, crop in zip(size, ({width}, {height}))]\n\
             image = image.crop((left, top, left + {width}, top + {height}))"
        );
    }
    lines
}
