//! How queries and keys are turned, as configurations say it: `rope_parameters`, or `rope_theta` and `rope_scaling` before version 5.

use super::{
    super::limits::{above_zero, sane},
    Config, OTHERS,
};
use crate::BackboneError;
use network::{Pairs, Rotary, Scaling};
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Said {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
    /// What it was called first.
    #[serde(rename = "type")]
    kind: Option<String>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<usize>,
    partial_rotary_factor: Option<f64>,
}

/// For heads of `depth` numbers; of layers of one kind, where each has its own. theta: where it is not said.
///
/// # Errors
/// Where it is said in a way that is not known.
pub(super) fn read(
    config: &Config,
    depth: usize,
    layers: Option<&str>,
    theta: f64,
) -> Result<Rotary, BackboneError> {
    let value = &config.value;
    let whole =
        ["rope_parameters", "rope_scaling"].iter().find_map(|key| value.get(key)?.as_object().map(|_| *key));
    let part = whole.and_then(|key| {
        let part = &value[key];
        Some(layers.map_or(part, |layers| part.get(layers).unwrap_or(part))).filter(|part| part.is_object())
    });
    let said: Said = part.map_or(Ok(Said::default()), |part| config.parse_part(part))?;
    let number = |key: &str| value.get(key).and_then(serde_json::Value::as_f64);
    let theta = said.rope_theta.or_else(|| number("rope_theta")).unwrap_or(theta);
    let share = said.partial_rotary_factor.or_else(|| number("partial_rotary_factor")).unwrap_or(1.0);
    if (share - 1.0).abs() > 0.0 {
        return Err(config.unknown("`partial_rotary_factor`", &share.to_string(), OTHERS));
    }
    let needed = |key: &str, value: Option<f64>| {
        above_zero(config, key, value.ok_or_else(|| config.wrong(format!("`{key}` is missing")))?)
    };
    let scaling = match said.rope_type.or(said.kind).as_deref() {
        None | Some("default") => None,
        Some("linear") => Some(Scaling::Linear { factor: needed("factor", said.factor)? }),
        Some("llama3") => {
            let places = said.original_max_position_embeddings.unwrap_or(0);
            sane(config, &[places])?;
            let (low, high) = (
                needed("low_freq_factor", said.low_freq_factor)?,
                needed("high_freq_factor", said.high_freq_factor)?,
            );
            if high <= low {
                return Err(config.unknown(
                    "`high_freq_factor`",
                    &high.to_string(),
                    "expected more than the low one",
                ));
            }
            Some(Scaling::Llama3 { factor: needed("factor", said.factor)?, low, high, places })
        }
        Some(other) => return Err(config.unknown("`rope_type`", other, OTHERS)),
    };
    if !depth.is_multiple_of(2) {
        return Err(config.unknown("a head of", &depth.to_string(), "expected an even number"));
    }
    let theta = above_zero(config, "rope_theta", theta)?;
    let interleaves = value.get("rope_interleave").and_then(serde_json::Value::as_bool) == Some(true);
    let pairs = if interleaves { Pairs::Neighbours } else { Pairs::Halves };
    Ok(Rotary { depth, turned: depth, theta, pairs, scaling })
}
