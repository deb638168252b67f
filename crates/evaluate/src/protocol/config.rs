//! What a run with `--protocol` is to do: the arguments, checked against one another.

use std::path::{Path, PathBuf};

use cli::UsageError;
use sample::Split;
use store::table::TableFormat;

use super::{Protocol, choice::By};
use crate::{Args, SplitChoice, UnknownChoice};

/// A checked run.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) protocol: Protocol,
    pub(crate) features: Vec<PathBuf>,
    pub(crate) output: PathBuf,
    /// The rows to score.
    pub(crate) split: Split,
    pub(crate) seed: u64,
    pub(crate) manifest: Option<PathBuf>,
    pub(crate) target_columns: Option<Vec<String>>,
    pub(crate) force: bool,
}

impl Config {
    /// Checks what each argument alone could not tell.
    ///
    /// # Errors
    /// A head, flags about one head, a seed for MTEB, splits that cannot be scored, several columns.
    pub(crate) fn new(protocol: Protocol, args: Args) -> Result<Config, UsageError> {
        let about_a_head = [
            ("--predictions", args.predictions.is_some()),
            ("--report", args.report.is_some()),
            ("--images", args.images.is_some()),
            ("--texts", args.texts.is_some()),
            ("--hardest", args.hardest.is_some()),
            ("--suspects", args.suspects.is_some()),
            ("--duplicates", args.duplicates.is_some()),
            ("--slice", !args.slice.is_empty()),
            ("--unknown", args.unknown != UnknownChoice::default()),
            ("--unseen-only", args.unseen_only),
            ("--baseline", args.baseline.is_some()),
        ];
        let refused = |text: String| Err(UsageError(text));
        if let Some((flag, _)) = about_a_head.iter().find(|(_, given)| *given) {
            return refused(format!(
                "{flag} is about one head, and --protocol fits its own: give one of both"
            ));
        }
        if let Some(head) = args.inputs.iter().find(|path| path.extension().is_some_and(|of| of == "head")) {
            let head = head.display();
            return refused(format!(
                "--protocol fits heads of its own: give features alone, without `{head}`"
            ));
        }
        if args.seed.is_some() && protocol.by() == By::Mteb {
            return refused("--seed goes with --protocol few:NxK; that of mteb is always 42".to_owned());
        }
        let split = match args.split {
            None => Split::Test,
            Some(SplitChoice::One(split @ (Split::Test | Split::Val))) => split,
            Some(_) => {
                return refused(
                    "--split: --protocol scores test or val rows, and draws from train".to_owned(),
                );
            }
        };
        if let Some(columns) = args.target_columns.as_ref().filter(|columns| columns.len() != 1) {
            let got = columns.len();
            return refused(format!("--target-columns: expected the one column of classes, got {got}"));
        }
        TableFormat::of(&args.output).map_err(|error| UsageError(error.to_string()))?;
        Ok(Config {
            protocol,
            features: args.inputs,
            output: args.output,
            split,
            seed: args.seed.unwrap_or_default(),
            manifest: args.manifest,
            target_columns: args.target_columns,
            force: args.force,
        })
    }

    /// Everything that is read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.features.iter().chain(&self.manifest).map(PathBuf::as_path)
    }
}
