//! What belongs around the tool: its help in shells and in the manual.

use std::path::PathBuf;

use clap::ValueEnum;

/// A shell that completes command lines.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
bash: source <(brokerctl completions bash)           in ~/.bashrc
zsh:  source <(brokerctl completions zsh)            in ~/.zshrc, after compinit
fish: brokerctl completions fish | source            in ~/.config/fish/config.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Where the pages are written
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
