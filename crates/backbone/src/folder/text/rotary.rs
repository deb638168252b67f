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
/// Where it is said in a way that is not known, or that a part of a head turns alone.
pub(super) fn read(
    config: &Config,
    depth: usize,
    layers: Option<&str>,
    theta: f64,
) -> Result<Rotary, BackboneError> {
    let rotary = read_partly(config, depth, layers, (theta, 1.0))?;
    if rotary.turned == depth {
        return Ok(rotary);
    }
    Err(config.unknown("the setting", "partial_rotary_factor", OTHERS))
}

/// The same where a part of a head may turn alone. share: of its numbers, where that is not said.
///
/// # Errors
/// Where it is said in a way that is not known.
pub(super) fn read_partly(
    config: &Config,
    depth: usize,
    layers: Option<&str>,
    (theta, share): (f64, f64),
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
    let share = said.partial_rotary_factor.or_else(|| number("partial_rotary_factor")).unwrap_or(share);
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
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded down; what is out of range is refused"
    )]
    let turned = (depth as f64 * share) as usize;
    if !turned.is_multiple_of(2) || !(1..=depth).contains(&turned) {
        let what = format!("of a head of {depth}, a part that turns of");
        return Err(config.unknown(&what, &turned.to_string(), "expected an even number"));
    }
    let theta = above_zero(config, "rope_theta", theta)?;
    let interleaves = value.get("rope_interleave").and_then(serde_json::Value::as_bool) == Some(true);
    let pairs = if interleaves { Pairs::Neighbours } else { Pairs::Halves };
    Ok(Rotary { depth, turned, theta, pairs, scaling })
}
