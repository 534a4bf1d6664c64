//! The files of a project beside `.beads`: what git ignores, the section for agents, git's own commit. None of them is needed
//! for the issues; whoever calls tells what went wrong with one and goes on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use super::texts::{AGENTS_BEGIN, AGENTS_END, AGENTS_FILE_HEAD, AGENTS_SECTION};
use crate::sys::{atomic, spawn};
use crate::town::env::Env;

/// Commands of git end within this; a hook of the user's may be slow.
const LIMIT: Duration = Duration::from_mins(1);

/// Puts lines that are not there behind the end of a file, with a head above them. Gives how many.
pub(super) fn add_lines(path: &Path, head: &str, lines: &[&str]) -> Result<usize, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
    };
    let is_new = |line: &&&str| !text.lines().any(|known| known.trim() == **line);
    let new: Vec<&str> = lines.iter().filter(is_new).copied().collect();
    if new.is_empty() {
        return Ok(0);
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let changed = format!("{text}{gap}\n{head}\n{}\n", new.join("\n"));
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    }
    atomic::rewrite(path, changed.as_bytes(), 0o644).map_err(|e| with_cause(&e))?;
    Ok(new.len())
}

/// Takes a section out that begins with this head and goes on with these lines. Gives whether there was one.
pub(super) fn remove_lines(path: &Path, head: &str, lines: &[&str]) -> Result<bool, String> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(false) };
    let mut kept: Vec<&str> = Vec::new();
    let (mut inside, mut found) = (false, false);
    for line in text.lines() {
        inside = if line.trim() == head { true } else { inside && lines.contains(&line.trim()) };
        found |= inside;
        if !inside {
            kept.push(line);
        }
    }
    if !found {
        return Ok(false);
    }
    while kept.last().is_some_and(|line| line.trim().is_empty()) {
        kept.pop();
    }
    if kept.is_empty() {
        atomic::remove(path).map_err(|e| with_cause(&e))?;
    } else {
        let text = kept.join("\n") + "\n";
        atomic::rewrite(path, text.as_bytes(), 0o644).map_err(|e| with_cause(&e))?;
    }
    Ok(true)
}

/// What became of the file for agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agents {
    Made,
    Added,
    Updated,
    Current,
}

/// The file for agents has its section. `template` is taken where there is no file yet.
pub(super) fn agents_file(path: &Path, template: Option<&str>) -> Result<Agents, String> {
    let write = |text: &str| atomic::rewrite(path, text.as_bytes(), 0o644).map_err(|e| with_cause(&e));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let made = format!("{AGENTS_FILE_HEAD}{AGENTS_SECTION}");
            write(template.unwrap_or(&made))?;
            return Ok(Agents::Made);
        }
        Err(e) => return Err(format!("failed to read {}: {e}", path.display())),
    };
    let Some(begin) = text.find(AGENTS_BEGIN) else {
        let gap = if text.ends_with('\n') { "" } else { "\n" };
        write(&format!("{text}{gap}\n{AGENTS_SECTION}"))?;
        return Ok(Agents::Added);
    };
    let rest = text.get(begin..).unwrap_or_default();
    // bd's own section, or one of another profile, says at least as much.
    if rest.contains(AGENTS_END) {
        let own = AGENTS_SECTION.lines().next().unwrap_or_default();
        if !rest.starts_with(own) {
            return Ok(Agents::Current);
        }
    }
    let Some(end) = rest.find(AGENTS_END) else {
        return Err(format!("{} has a section of bd without an end", path.display()));
    };
    let after = rest.get(end + AGENTS_END.len()..).unwrap_or_default();
    let after = after.strip_prefix('\n').unwrap_or(after);
    let changed = format!("{}{AGENTS_SECTION}{after}", text.get(..begin).unwrap_or_default());
    if changed == text {
        return Ok(Agents::Current);
    }
    write(&changed)?;
    Ok(Agents::Updated)
}

/// The program git.
#[derive(Debug)]
pub(super) struct Git {
    program: PathBuf,
    dir: PathBuf,
}

impl Git {
    /// As found on PATH, in this directory.
    pub(super) fn find(env: &Env, dir: &Path) -> Option<Self> {
        Some(Self { program: env.find_program("git")?, dir: dir.to_owned() })
    }

    /// Runs it. The error is what it printed.
    pub(super) async fn run(&self, args: &[&str]) -> Result<String, String> {
        let Output { status, stdout, stderr } =
            spawn::output(&self.program, args, &self.dir, LIMIT).await.map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if status.success() {
            return Ok(text(&stdout));
        }
        let said = [text(&stderr), text(&stdout)].join("\n");
        Err(if said.trim().is_empty() { spawn::describe_exit(status) } else { said.trim().to_owned() })
    }
}

fn with_cause(error: &atomic::WriteError) -> String {
    format!("{error}: {}", error.source)
}
