//! `gt completions`.

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use super::failure::Failure;
use super::out;
use super::session::Session;

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
    pub(crate) fn run(&self, session: &Session, tree: &mut clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, tree, "gt", &mut script);
        let script = String::from_utf8_lossy(&script);
        session.show(|| json!({"shell": self.shell.to_string(), "script": script}), || out::raw(&script));
        Ok(())
    }
}
