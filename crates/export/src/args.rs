//! The command line.

use clap::{Parser, ValueEnum};
use sample::Split;
use std::path::PathBuf;

/// Write a model that other programs run, or a matrix of features that they read.
///
/// Reads INPUT: a NAME.head that fit-head wrote, or a NAME.features folder that extract wrote. A head also needs the
/// weights of its backbone.
///
/// Writes, by --to:
///
/// onnx: one file with backbone, pooling, head and softmax.
///
/// bundle: one file with all that predict and the library headstart need, of any head.
///
/// safetensors: of a head a folder with model.safetensors and config.json, which says how to assemble them. Of features one
/// file with the matrix `features`, and in `rows` the bytes of a JSON object of columns.
///
/// hf: a folder that transformers opens, by a class of its own or by its wrapper of timm. pipeline("image-classification",
/// model=OUTPUT) does so. The head is a linear one. README.md is a model card.
///
/// hf of texts: pipeline("text-classification", model=OUTPUT) opens the folder. Most need trust_remote_code=True besides, since
/// no class of transformers' pools as they do: theirs lies in the folder.
///
/// torch: a folder with a state dictionary under torchvision's names, and in README.md the lines that load it.
///
/// keras: a folder with model.keras, which keras.models.load_model opens: pictures from 0 to 255 in, probabilities or
/// numbers out.
///
/// npy: the features as a (rows, width) f32 matrix, in the order of the index.
///
/// parquet, arrow: the features as a table: id, split, the features' own columns, and `features`, a list of f32.
///
/// What it writes of features `extract --from-rows` reads.
///
/// The input of a model is `pixels` (batch, 3, height, width), normalised as the file's metadata says. A head on several
/// backbones has an input for each: `pixels`, `pixels_1` and so on. Its outputs are `features`, `logits` and
/// `probabilities`. Probabilities of labels are a sigmoid's. Models of numbers give `features` and `values`. A head with
/// --novelty-at also gives `distance` and `novel`.
///
/// With --with-preprocessing the one input is `image`: a decoded picture, u8 (height, width, 3), RGB, upright, of any size.
///
/// A model is read back before it takes its place. It runs on four synthetic probe pictures. Their features and logits must
/// agree with the cached ones. If they do not, nothing is written, and the exit code is 3.
#[derive(Debug, Parser)]
#[command(name = "export", version, after_help = AFTER, max_term_width = 110)]
pub struct Args {
    /// A NAME.head, or a NAME.features folder
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,

    /// The file to write, or the folder: of a head in safetensors, for --to hf, torch and keras
    #[arg(short, long, value_name = "OUTPUT")]
    pub output: PathBuf,

    /// What to write [default: by OUTPUT's extension: .onnx, .hst, .npy, .parquet, .arrow, .feather, .safetensors, or a safetensors
    /// folder where it has none]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: Option<To>,

    /// The backbone's weights, as extract was given them: a file, a folder, an ONNX model or an address [default: those
    /// that come with headstart_tiny]
    ///
    /// Files: safetensors, PyTorch's, Keras', ONNX, GGUF and MXNet's .params.
    ///
    /// Of a head on several backbones give it for each, in any order.
    #[arg(short, long, value_name = "WEIGHTS")]
    pub weights: Vec<PathBuf>,

    /// Take what WEIGHTS names from the cache, and download nothing
    #[arg(long)]
    pub offline: bool,

    /// onnx: put resizing, cropping and normalisation into the model, with the bits of Pillow and torchvision
    ///
    /// One picture a call. Decoding and turning by EXIF are left to the caller.
    #[arg(long)]
    pub with_preprocessing: bool,

    /// With --with-preprocessing or --verify-with: pictures to check the model on, as predict takes them [default: none]
    ///
    /// Our own path and the model must give the same. The largest difference is printed, and kept in the model as
    /// `headstart.verified`.
    #[arg(long, value_name = "PATH")]
    pub images: Vec<PathBuf>,

    /// With --verify-with: texts to check the model on, as predict takes them [default: none]
    ///
    /// Our own path and transformers must give the same.
    #[arg(long, value_name = "PATH")]
    pub texts: Vec<PathBuf>,

    /// The column of --texts that holds them [default: text, else sentence]
    #[arg(long, value_name = "COLUMN", requires = "texts")]
    pub text_column: Option<String>,

    /// The column of --texts with the second texts, where samples are pairs [default: none]
    #[arg(long, value_name = "COLUMN", requires = "texts")]
    pub text_column_2: Option<String>,

    /// With --images or --texts: on how many of them, evenly spaced [default: 200]
    #[arg(long, value_name = "N")]
    pub verify_samples: Option<usize>,

    /// onnx: how matrices and kernels are stored [default: f32]
    ///
    /// f16 halves the file. What is computed with them is f32 as ever. It passes with a larger difference.
    #[arg(long, value_enum, value_name = "DTYPE")]
    pub dtype: Option<Stored>,

    /// Largest difference of a feature or logit that passes [default: 1e-4; for features that a card made in tf32
    /// or f16, and for --dtype f16, 1e-2; in bf16 5e-2]
    ///
    /// It is relative to the largest of them, or to 1 where all are smaller.
    #[arg(long, value_name = "NUMBER")]
    pub tolerance: Option<f64>,

    /// Features: rows of one split only: train, val or test [default: all splits]
    #[arg(long, value_name = "SPLIT", value_parser = parse_split)]
    pub split: Option<Split>,

    /// npy: also write a table (.parquet, .csv or .json) with the id, split and label of every row
    #[arg(long, value_name = "TABLE")]
    pub rows: Option<PathBuf>,

    /// Features: also the augmented views of train samples, after each its own
    ///
    /// A table then has the column `view`, 0 for the picture itself.
    #[arg(long)]
    pub views: bool,

    /// hf, torch, keras: the licence that the model card names, as the hub spells it: apache-2.0, cc-by-4.0 [default: unknown]
    #[arg(long, value_name = "NAME")]
    pub license: Option<String>,

    /// hf, torch, keras: the table of metrics that `evaluate` wrote, for the model card [default: none, and the card has no metrics]
    #[arg(long, value_name = "TABLE")]
    pub metrics: Option<PathBuf>,

    /// hf, torch, keras: a Python with the libraries in question, which opens the folder before it takes its place
    /// [default: none]
    ///
    /// Its logits of the probes must be ours, or the exit code is 3. Without this flag, no Python runs.
    #[arg(long, value_name = "PYTHON")]
    pub verify_with: Option<PathBuf>,

    /// Replace OUTPUT (and TABLE) where it exists, if this program wrote it
    #[arg(long)]
    pub force: bool,

    /// Flags that every tool has.
    #[command(flatten)]
    pub common: cli::Common,
}

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// One ONNX file (opset 17)
    Onnx,
    /// One file for predict
    Bundle,
    /// A folder with weights and a description; of features one file
    Safetensors,
    /// A folder as on the Hugging Face hub, which transformers opens
    Hf,
    /// A folder with a state dictionary of torchvision's
    Torch,
    /// A folder with a model of Keras'
    Keras,
    /// A matrix of features
    Npy,
    /// Features as a Parquet table
    Parquet,
    /// Features as an Arrow IPC file, which pandas and polars call Feather
    Arrow,
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stored {
    /// As they are
    F32,
    /// Rounded to half as many bytes
    F16,
}

const AFTER: &str = "Example, from the root of a clone after `make demo`:
  target/release/export target/demo/sample.head -o /tmp/sample.onnx --force

Exit codes: 0 success, 1 failed, 2 wrong usage, 3 the model disagrees with the cache, 130 interrupted (nothing is written).";

fn parse_split(text: &str) -> Result<Split, String> {
    Split::parse(text).ok_or_else(|| "expected train, val or test".to_owned())
}
