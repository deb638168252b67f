//! Names of classes, or of other outputs.

/// What is wrong with class names that were read from a file, if anything.
pub fn validate_names(classes: &[String]) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    if classes.is_empty() {
        return Some("it has no classes".to_owned());
    }
    classes.iter().find(|class| !seen.insert(*class)).map(|class| format!("it has the class `{class}` twice"))
}
