//! The command line.

use clap::Parser;

/// Download weights once, and print where they are.
///
/// Reads each SOURCE, one of these:
///
/// `hf://ORG/NAME`, or with `@REVISION`: a model of the Hugging Face hub. REVISION is a branch, a tag or a commit, and main
/// by default.
///
/// `torchvision://NAME`, or with `@IMAGENET1K_V2`: torchvision's weights of that network. The first weights are the default,
/// since their preprocessing is what the network has here.
///
/// `https://HOST/FILE#sha256=HEX`: any file. Without a digest it is downloaded each time, and its digest is said.
///
/// Writes models into the hub's own cache, torchvision's files into torch's, and other files into Headstart's. Python's
/// libraries share the first two. Prints one line for each source: its snapshot folder, or its file.
///
/// What is there already is not downloaded again. A download that was stopped goes on. A file has its name only once its
/// digest was checked.
///
/// Of a model, the configurations, one form of the weights and the tokenizer are downloaded.
#[derive(Debug, Parser)]
#[command(name = "fetch", version, after_help = AFTER, max_term_width = 110)]
pub struct Args {
    /// What to download: hf://, torchvision:// or https://
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,

    /// hf://: files to download instead; repeat it for more [default: what Headstart reads]
    ///
    /// `*` stands for any characters, `/` too.
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
