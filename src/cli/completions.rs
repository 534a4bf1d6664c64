//! `gt completions`.

use clap::Args;
use clap_complete::Shell;

use super::failure::Failure;
use super::out;

/// Print a completion script for a shell.
///
/// Example: gt completions bash > ~/.local/share/bash-completion/completions/gt
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    #[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
    pub(crate) fn run(&self, tree: &mut clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, tree, "gt", &mut script);
        out::raw(&String::from_utf8_lossy(&script));
        Ok(())
    }
}
