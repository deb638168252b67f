//! What MXNet's Gluon calls the parameters of residual networks, as `save_parameters` writes them.

use crate::Stored;

/// GluonCV's v1b, whose blocks are torchvision's: `save_parameters` names modules as PyTorch does, but not batch norms' parts.
pub(super) fn plain(param: &str) -> Stored {
    renamed(param, param, |module| is_bn(module) || module.ends_with("downsample.1"))
}

/// GluonCV's v1d, whose stem is a sequence, and whose shortcuts begin with a pool.
pub(super) fn deep(param: &str) -> Stored {
    let is_norm = |module: &str| {
        is_bn(module) || ["conv1.1", "conv1.4"].contains(&module) || module.ends_with("downsample.2")
    };
    renamed(param, param, is_norm)
}

/// Gluon's own model zoo, v1 of 18 and 34 layers. Deeper ones have another stride, and biases, which are no tensors of ours.
pub(super) fn zoo(param: &str) -> Stored {
    let place = || -> Option<String> {
        let (module, part) = param.rsplit_once('.')?;
        Some(match module {
            "conv1" => format!("features.0.{part}"),
            "bn1" => format!("features.1.{part}"),
            "fc" => format!("output.{part}"),
            inside => {
                let mut names = inside.strip_prefix("layer")?.splitn(3, '.');
                let stage = names.next()?.parse::<usize>().ok()?.checked_add(3)?;
                let (block, inside) = (names.next()?, names.next()?);
                let inside = match inside {
                    "conv1" => "body.0",
                    "bn1" => "body.1",
                    "conv2" => "body.3",
                    "bn2" => "body.4",
                    inside => inside,
                };
                format!("features.{stage}.{block}.{inside}.{part}")
            }
        })
    };
    let stored = place().unwrap_or_else(|| param.to_owned());
    renamed(param, &stored, |module| is_bn(module) || module.ends_with("downsample.1"))
}

fn is_bn(module: &str) -> bool {
    module.rsplit('.').next().is_some_and(|last| last.starts_with("bn"))
}

/// The name `stored` of a parameter of ours, in which batch norms have gamma and beta.
fn renamed(param: &str, stored: &str, is_norm: impl Fn(&str) -> bool) -> Stored {
    let ours = param.rsplit_once('.').filter(|(module, _)| is_norm(module));
    let norm = ours.and_then(|(_, part)| match part {
        "weight" => Some("gamma"),
        "bias" => Some("beta"),
        _ => None,
    });
    let renamed = norm.zip(stored.rsplit_once('.')).map(|(part, (module, _))| format!("{module}.{part}"));
    Stored::As(renamed.unwrap_or_else(|| stored.to_owned()))
}
