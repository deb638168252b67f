//! How Keras makes inputs: `preprocess_input` of each application, of pictures that were resized whatever their aspect ratio.

use input::{
    Recipe,
    image::{Channels, Preprocessing, Resize},
};

/// Mode `caffe`, at 224×224: BGR, less the means, not scaled.
pub(crate) fn caffe() -> Recipe {
    Preprocessing::keras_caffe().into()
}

/// Mode `tf`: from -1 to 1.
pub(super) fn centred(side: u32) -> Recipe {
    scaled(side, 127.5, [1.0; 3], [1.0; 3])
}

/// Mode `torch`: ImageNet's mean and deviation.
pub(super) fn torch(side: u32) -> Recipe {
    let Preprocessing { mean, std, .. } = Preprocessing::imagenet();
    scaled(side, 255.0, mean, std)
}

/// From 0 to 1: the network does the rest.
pub(super) fn unit(side: u32) -> Recipe {
    scaled(side, 255.0, [0.0; 3], [1.0; 3])
}

fn scaled(side: u32, divisor: f32, mean: [f32; 3], std: [f32; 3]) -> Recipe {
    let channels = Channels::Rgb;
    let resize = Resize::Exact(side, side);
    Preprocessing { resize, channels, divisor, mean, std, ..Preprocessing::keras_caffe() }.into()
}
