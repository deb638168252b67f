//! The flags of models behind an endpoint.

use clap::Args;
use std::path::PathBuf;

/// What is said of an endpoint.
#[derive(Args, Debug, Default)]
pub struct EndpointArgs {
    /// Who serves the model, up to /v1 [default: https://api.openai.com/v1]
    ///
    /// Any server that answers /v1/embeddings as OpenAI's does: Text Embeddings Inference, Ollama, vLLM and others.
    #[arg(long, value_name = "URL", help_heading = "Endpoint")]
    pub base_url: Option<String>,

    /// Variable of the environment that holds the key; none is sent where it is not set [default: OPENAI_API_KEY]
    #[arg(long, value_name = "NAME", help_heading = "Endpoint")]
    pub key_env: Option<String>,

    /// Ask for rows of this width, where the model can give several [default: the model's own]
    #[arg(long, value_name = "N", help_heading = "Endpoint")]
    pub dimensions: Option<usize>,

    /// Requests at a time [default: 4]
    #[arg(long, value_name = "N", help_heading = "Endpoint")]
    pub concurrency: Option<usize>,

    /// Seconds that a request and its answer may take [default: 600]
    #[arg(long, value_name = "SECONDS", help_heading = "Endpoint")]
    pub timeout: Option<u64>,

    /// What a million tokens cost, in US dollars, as the server's price list says [default: not said]
    #[arg(long, value_name = "USD", help_heading = "Endpoint")]
    pub price_per_million: Option<f64>,

    /// Ask for nothing where the estimate is more than this, and stop once the server has counted more [default: no limit]
    #[arg(long, value_name = "USD", help_heading = "Endpoint")]
    pub max_cost: Option<f64>,

    /// Folder that keeps all answers, so that none is paid for twice [default: headstart/answers in the user's cache]
    #[arg(long, value_name = "DIR", help_heading = "Endpoint")]
    pub answers: Option<PathBuf>,
}

impl EndpointArgs {
    /// The first flag that is given, if any.
    pub(crate) fn first(&self) -> Option<&'static str> {
        let given = [
            ("--base-url", self.base_url.is_some()),
            ("--key-env", self.key_env.is_some()),
            ("--dimensions", self.dimensions.is_some()),
            ("--concurrency", self.concurrency.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--price-per-million", self.price_per_million.is_some()),
            ("--max-cost", self.max_cost.is_some()),
            ("--answers", self.answers.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}
