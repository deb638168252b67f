//! What the name of a file says of its weights: of which network they are, and how its pictures were made.

use network::zoo::{self, Entry};
use published::{EXTENSIONS, TORCHVISION};
use std::path::Path;

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
    let mut second = TORCHVISION.iter().filter_map(|(.., second)| *second);
    if second.any(|file| file == stem || file.strip_suffix(".pth") == Some(stem.as_str())) {
        let flags = if entry.name == "efficientnet_b1" { "255 --filter bilinear" } else { "232" };
        return Some(format!("these are IMAGENET1K_V2, whose pictures were made with --resize {flags}"));
    }
    let tag = stem.strip_prefix(entry.untagged())?.strip_prefix('.')?.split('.').next()?;
    // What ends the name of a file is no tag.
    if tag.is_empty() || tag == "weights" || EXTENSIONS.contains(&tag) {
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
        let second = TORCHVISION.iter().filter_map(|(.., second)| *second);
        assert!(second.into_iter().all(|file| zoo::all().iter().any(|entry| is_called(file, entry.name))));
    }
}
