//! The command line.

use clap::{Parser, ValueEnum};
use pipeline::{DeviceName, PrecisionName};
use std::path::PathBuf;

/// Say what a head makes of new samples: their class, labels or numbers.
///
/// Reads MODEL: a bundle that export wrote, NAME.hst, which holds all that is needed; or a NAME.head. A head also needs the weights
/// of its networks, unless they come with Headstart.
///
/// Reads INPUT: pictures, or folders of them of any shape. Labels are not looked at. It may be a manifest, a tar, Parquet files
/// with pictures in them, or features that extract wrote. INPUT - is a list of paths on standard input, as find prints it, or a
/// tar.
///
/// Of a model of texts, INPUT is a table with a column of texts, or folders of .txt files. INPUT - is a text on each line.
///
/// Writes a row for each sample, as soon as it is done: its id, and what is predicted. A sample that cannot be read has a row that
/// says why. The rows are those of evaluate --predictions, to the bit.
///
/// Before the first sample the network must agree with the head's features on four made-up pictures, or sentences. If
/// it does not, the exit code is 3.
#[derive(Debug, Parser)]
#[command(name = "predict", version, after_help = AFTER, max_term_width = 110)]
pub struct Args {
    /// A NAME.hst, or a NAME.head
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,

    /// Pictures, folders of them, a manifest, tars, features, or - for standard input
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,

    /// Table to write: .parquet, .csv or .jsonl; or - for JSON lines on standard output
    #[arg(short, long, value_name = "OUTPUT", default_value = "-")]
    pub output: PathBuf,

    /// Name the K most probable classes or labels of each sample, with their probabilities [default: none but the predicted]
    #[arg(long, value_name = "K")]
    pub top: Option<usize>,

    /// Give the probabilities of all classes or labels
    #[arg(long)]
    pub probabilities: bool,

    /// Weights of the head's network, as extract was given them; repeat it for a head of several networks [default: those
    /// that come with Headstart]
    #[arg(short, long, value_name = "WEIGHTS", help_heading = "Network")]
    pub weights: Vec<PathBuf>,

    /// Take what WEIGHTS names from the cache, and download nothing
    #[arg(long, help_heading = "Network")]
    pub offline: bool,

    /// Column of a table that holds the texts [default: text, else sentence]
    #[arg(long, value_name = "COLUMN", help_heading = "Texts")]
    pub text_column: Option<String>,

    /// Column of the second texts, where samples are pairs [default: none]
    #[arg(long, value_name = "COLUMN", help_heading = "Texts")]
    pub text_column_2: Option<String>,

    /// Folder that a manifest's or list's paths, and the samples' ids, are relative to [default: the manifest's own, or the
    /// current one]
    #[arg(long, value_name = "DIR", help_heading = "Samples")]
    pub root: Option<PathBuf>,

    /// What becomes of a sample that cannot be read or decoded
    #[arg(long, value_enum, value_name = "ACTION", default_value = "row", help_heading = "Samples")]
    pub on_error: OnError,

    /// Where to run the network: auto, cpu, cuda, cuda:1, or several as in cuda:0,1; see extract --help
    #[arg(long, value_name = "DEVICE", default_value = "auto", help_heading = "Device")]
    pub device: DeviceName,

    /// What numbers are: auto; f32 or bf16 on the CPU; f32, tf32, f16 or bf16 on a card; see extract --help [default: as extract]
    #[arg(long, value_name = "PRECISION", help_heading = "Device")]
    pub precision: Option<PrecisionName>,

    /// Pictures that go through the network together; changes memory and speed, never a prediction [default: as extract]
    #[arg(long, value_name = "N", help_heading = "Device")]
    pub batch: Option<usize>,

    /// Replace OUTPUT where it exists, if this program wrote it
    #[arg(long)]
    pub force: bool,

    /// Flags that every tool has.
    #[command(flatten)]
    pub common: cli::Common,
}

/// What to do with a bad sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// A row that says why
    Row,
    /// Stop
    Fail,
}

const AFTER: &str = "Example, from the root of a clone after `make demo`:
  target/release/predict target/demo/sample.head target/demo/sample --top 3

Exit codes: 0 success, 1 failed, 2 wrong usage, 3 the network disagrees with the head, 130 interrupted.";
