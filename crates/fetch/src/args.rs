//! The command line.

use clap::Parser;

/// Download weights once, and print where they are.
///
/// Reads SOURCES, each of them one of these:
///
/// hf://ORG/NAME[@REVISION]: a model of the Hugging Face hub. REVISION is a branch, a tag or a commit.
///
/// torchvision://NAME[@IMAGENET1K_V2]: weights of one of torchvision's networks, IMAGENET1K_V1 unless you say otherwise.
///
/// https://HOST/FILE[#sha256=HEX]: any file. Without a digest it is downloaded each time, and its digest is said.
///
/// Prints one line for each source: the path of its snapshot folder, or of its file.
///
/// Models lie in the hub's own cache and torchvision's files in torch's, which Python's libraries share. What is there
/// already is not downloaded again. A download that was stopped goes on. Every file's digest is checked before it has its
/// name.
///
/// Of a model, these files are downloaded: the configurations, the weights (safetensors rather than PyTorch's), and the
/// tokenizer's. --include says otherwise.
#[derive(Debug, Parser)]
#[command(name = "fetch", version, after_help = AFTER, max_term_width = 110)]
pub struct Args {
    /// What to download: hf://, torchvision:// or https://
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,

    /// hf://: the files to download, instead of those that Headstart reads
    ///
    /// May be given several times. `*` stands for any characters, `/` too.
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,

    /// Open no connection: use what is in the caches
    #[arg(long)]
    pub offline: bool,

    /// Flags that every tool has.
    #[command(flatten)]
    pub common: cli::Common,
}

const AFTER: &str = "Examples:
  fetch hf://timm/resnet50.a1_in1k
  fetch torchvision://resnet50
  extract photos -o photos.features --backbone resnet50 --weights \"$(fetch torchvision://resnet50)\"

Environment:
  HF_HOME, HF_HUB_CACHE    the hub's cache [default: ~/.cache/huggingface/hub]
  HF_TOKEN                 for private and gated models [default: the token in HF_HOME]
  HF_ENDPOINT              another server that speaks the hub's protocol
  HF_HUB_OFFLINE=1         the same as --offline
  TORCH_HOME               torch's cache [default: ~/.cache/torch]
  HEADSTART_TORCHVISION_ENDPOINT   a mirror of https://download.pytorch.org
  XDG_CACHE_HOME           where caches are [default: ~/.cache]
  HTTPS_PROXY, NO_PROXY    the proxy, and the hosts that need none
  SSL_CERT_FILE            certificates to trust [default: the system's]

Exit codes: 0 success, 1 failed, 2 wrong usage, 130 interrupted (the next run goes on).";
