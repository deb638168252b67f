//! A class of ours that lies in the folder, for what no class of transformers' computes. transformers runs it with
//! `trust_remote_code=True`.

use anyhow::Result;
use serde_json::{Value, json};
use std::fs;
use store::Place;

/// The file that holds it.
pub(super) const FILE: &str = "modeling_headstart.py";

/// Says in a `config.json` of `model_type` `kind` that `class` of that file opens it, as transformers' `auto` class does others.
pub(super) fn name_in(config: &mut Value, kind: &str, class: &str, auto: &str) {
    let in_file = |name: &str| format!("{}.{name}", FILE.trim_end_matches(".py"));
    config["model_type"] = kind.into();
    config["architectures"] = json!([class]);
    config["auto_map"] = json!({"AutoConfig": in_file("HeadstartConfig"), auto: in_file(class)});
}

/// # Errors
/// Where it cannot be written.
pub(super) fn write(place: &Place, text: &str) -> Result<()> {
    fs::write(place.temporary().join(FILE), text).map_err(|error| place.failed(error).into())
}

/// What to know of a pipeline that opens the folder. `more`: what else it is given.
pub(super) fn told(task: &str, more: &str) -> String {
    format!(
        "export: {FILE} in the folder opens it, and transformers has to be allowed to run that: pipeline(\"{task}\", model=…, trust_remote_code=True{more})"
    )
}
