//! What the name of a file says of its weights: of which network they are, and how its pictures were made.

use network::zoo::{self, Entry};
use std::path::Path;

/// torchvision's `IMAGENET1K_V2`, by the names of their files.
const SECOND: [&str; 24] = [
    "efficientnet_b1-c27df63c",
    "mobilenet_v2-7ebf99e0",
    "mobilenet_v3_large-5c1a4163",
    "regnet_x_16gf-ba3796d7",
    "regnet_x_1_6gf-a12f2b72",
    "regnet_x_32gf-6eb8fdc6",
    "regnet_x_3_2gf-7071aa85",
    "regnet_x_400mf-62229a5f",
    "regnet_x_800mf-94a99ebd",
    "regnet_x_8gf-2b70d774",
    "regnet_y_16gf-3e4a00f9",
    "regnet_y_1_6gf-0d7bc02a",
    "regnet_y_32gf-8db6d4b5",
    "regnet_y_3_2gf-9180c971",
    "regnet_y_400mf-e6988f5f",
    "regnet_y_800mf-58fc7688",
    "regnet_y_8gf-dc2b1b54",
    "resnet101-cd907fc2",
    "resnet152-f82ba261",
    "resnet50-11ad3fa6",
    "resnext101_32x8d-110c445d",
    "resnext50_32x4d-1a0047aa",
    "wide_resnet101_2-d733dc28",
    "wide_resnet50_2-9ba9bcbe",
];

/// What ends the name of a file, and is no tag.
const ENDS: [&str; 12] =
    ["safetensors", "pth", "pt", "bin", "th", "ckpt", "h5", "hdf5", "keras", "weights", "gguf", "params"];

/// The file's name without extensions, or its folder's where it is called as all are.
pub(crate) fn stem(path: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let own = name(path);
    if ["model.", "pytorch_model."].iter().any(|common| own.starts_with(common)) {
        return path.parent().map(name).unwrap_or_default();
    }
    own
}

/// Whether a file bears a network's name, alone or before something else: `vgg16-397923af.pth`, but not `vgg16_bn.pth`.
pub(crate) fn is_called(stem: &str, name: &str) -> bool {
    stem.strip_prefix(name).is_some_and(|rest| {
        let mut rest = rest.chars();
        match rest.next() {
            None | Some('-' | '.') => true,
            Some('_') => !rest.next().is_some_and(char::is_alphanumeric) || stem.contains("weights"),
            Some(_) => false,
        }
    })
}

/// Where the name says other weights than those whose pictures are made as the entry says: that they may be made otherwise.
pub(crate) fn hint(path: &Path, entry: &Entry) -> Option<String> {
    let stem = stem(path);
    if SECOND
        .iter()
        .any(|second| stem.strip_prefix(second).is_some_and(|rest| rest.is_empty() || rest == ".pth"))
    {
        let flags = if entry.name == "efficientnet_b1" { "255 --filter bilinear" } else { "232" };
        return Some(format!("these are IMAGENET1K_V2, whose pictures were made with --resize {flags}"));
    }
    let tag = stem.strip_prefix(entry.untagged())?.strip_prefix('.')?.split('.').next()?;
    if tag.is_empty() || ENDS.contains(&tag) {
        return None;
    }
    let name = format!("{}.{tag}", entry.untagged());
    match zoo::find(&name) {
        Ok(found) if (found.recipe)() == (entry.recipe)() => None,
        Ok(_) => Some(format!("the tag `{tag}` prepares pictures otherwise; give --backbone {name}")),
        Err(_) => Some(format!(
            "how the tag `{}` prepares pictures is not known; --preprocess, --resize and --crop say how",
            store::brief::cut(tag, 40)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_after_networks() {
        assert!(is_called("vgg16-397923af.pth", "vgg16") && is_called("vgg16.pth", "vgg16"));
        assert!(is_called("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "vgg16"));
        assert!(!is_called("vgg16_bn-6c64b313.pth", "vgg16") && !is_called("vgg160.pth", "vgg16"));
        assert!(is_called("resnet50.a1_in1k.safetensors", "resnet50"));
        assert_eq!(stem(Path::new("a/resnet50.a1_in1k/model.safetensors")), "resnet50.a1_in1k");
    }

    #[test]
    fn names_say_how_pictures_were_made() {
        let told = |path: &str, name: &str| hint(Path::new(path), zoo::find(name).unwrap());
        for (path, name, part) in [
            ("resnet18.a1_in1k/model.pth", "resnet18", "the tag `a1_in1k` prepares pictures is not known"),
            ("a/resnet50.a1_in1k.safetensors", "resnet50", "--preprocess, --resize and --crop"),
            ("resnet50-11ad3fa6.pth", "resnet50", "made with --resize 232"),
            ("efficientnet_b1-c27df63c.pth", "efficientnet_b1", "--resize 255 --filter bilinear"),
        ] {
            assert!(told(path, name).is_some_and(|hint| hint.contains(part)), "{path}");
        }
        for (path, name) in [
            ("resnet50-0676ba61.pth", "resnet50"),
            ("resnet50.pth", "resnet50"),
            ("resnet18.tv_in1k/model.safetensors", "resnet18"),
            ("other.pth", "resnet18"),
        ] {
            assert_eq!(told(path, name), None, "{path}");
        }
        assert!(SECOND.iter().all(|file| zoo::all().iter().any(|entry| is_called(file, entry.name))));
    }
}
