//! `gt man`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::failure::{Failure, Kind};
use super::out;
use super::session::Session;
use crate::sys::atomic;

/// Write the manual pages, or print the first one.
///
/// Example: gt man ~/.local/share/man/man1 && man gt-dolt-start
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Directory for one page per command; without it the page of gt itself goes to standard output
    dir: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, session: &Session, tree: clap::Command) -> Result<(), Failure> {
        let Some(dir) = &self.dir else {
            let page = page(tree)?;
            let page = String::from_utf8_lossy(&page);
            session.show(|| json!({"page": page}), || out::raw(&page));
            return Ok(());
        };
        std::fs::create_dir_all(dir)
            .map_err(|e| Failure::new(Kind::Other, format!("cannot make {}: {e}", dir.display())))?;
        let mut tree = tree.disable_help_subcommand(true);
        tree.build();
        let mut todo = vec![("gt".to_owned(), tree)];
        let mut written = Vec::new();
        while let Some((name, command)) = todo.pop() {
            for below in command.get_subcommands() {
                todo.push((format!("{name}-{}", below.get_name()), below.clone()));
            }
            // Clap wants a name for the page that lives as long as the program.
            let named = command.name(&*String::leak(name.clone()));
            let path = dir.join(format!("{name}.1"));
            let failed = |e: atomic::WriteError| Failure::new(Kind::Other, format!("{e}: {}", e.source));
            atomic::write(&path, &page(named)?, 0o644).map_err(failed)?;
            written.push(path);
        }
        session.show(
            || json!({"pages": written}),
            || out::line(format!("{} pages in {}", written.len(), dir.display())),
        );
        Ok(())
    }
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut text);
    rendered.map_err(|e| Failure::new(Kind::Other, format!("cannot render a manual page: {e}")))?;
    Ok(text)
}
