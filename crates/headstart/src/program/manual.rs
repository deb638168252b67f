//! Completions and manual pages, made from the command lines that the stages parse.

use super::{
    all,
    stages::{STAGES, TOOLS},
};
use anyhow::Result;
use clap::{Command, Parser, ValueEnum};
use clap_complete::{Shell, generate};
use cli::UsageError;

/// Print completions of `headstart` for a shell.
///
/// bash: `headstart completions bash > ~/.local/share/bash-completion/completions/headstart`
///
/// zsh: `headstart completions zsh > ~/.zfunc/_headstart`, with ~/.zfunc in fpath.
///
/// fish: `headstart completions fish > ~/.config/fish/completions/headstart.fish`
#[derive(Debug, Parser)]
#[command(name = "completions", version, max_term_width = 110)]
pub(super) struct CompletionArgs {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Known,
}

/// Shells that completions are made for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

/// Print the manual page of a stage, for `man`: `headstart man predict | man -l -`.
#[derive(Debug, Parser)]
#[command(name = "man", version, max_term_width = 110)]
pub(super) struct PageArgs {
    /// Which stage [default: headstart itself]
    #[arg(value_name = "STAGE")]
    stage: Option<String>,
}

/// # Errors
/// Where stdout cannot be written to.
pub(super) fn complete(args: &CompletionArgs) -> Result<()> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut out = Vec::new();
    generate(shell, &mut whole(), "headstart", &mut out);
    Ok(cli::print(&String::from_utf8_lossy(&out))?)
}

/// # Errors
/// Where there is no such stage, or stdout cannot be written to.
pub(super) fn page(args: &PageArgs) -> Result<()> {
    let command = match args.stage.as_deref() {
        None => whole(),
        Some(name) => match all().find(|stage| stage.name == name) {
            Some(stage) => named(stage.name, (stage.command)()),
            None => {
                let names = all().map(|stage| stage.name).collect::<Vec<_>>().join(", ");
                return Err(UsageError(format!("unknown stage `{name}`; known are {names}")).into());
            }
        },
    };
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out)?;
    Ok(cli::print(&String::from_utf8_lossy(&out))?)
}

/// `headstart` with all that it runs.
fn whole() -> Command {
    let mut command = Command::new("headstart")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Transfer learning on frozen features, stage by stage")
        .subcommand_required(true);
    for stage in STAGES.iter().chain(&TOOLS) {
        command = command.subcommand((stage.command)().name(stage.name));
    }
    command
}

/// Called as users call it.
fn named(name: &str, command: Command) -> Command {
    command.bin_name(format!("headstart {name}")).display_name(format!("headstart-{name}"))
}
