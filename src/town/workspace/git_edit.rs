//! Sets and removes one key of a repository's own configuration, as `git config` does: under `config.lock`, line by line, with
//! everything else left as it was written. What comes out is read again before it counts.
//!
//! Known are keys of two words (`beads.role`, `core.hooksPath`). A value that goes over several lines is not touched.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::git::Repo;
use super::git_config::GitConfig;

/// Why a configuration was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitEditError {
    /// Somebody else is changing it, or was killed while he did.
    #[error("could not lock config file {}: File exists", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file.
    #[error("cannot change {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file has a form in which the key cannot be changed line by line.
    #[error("{key} cannot be changed safely in {}: use 'git config'", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// There is nothing to remove.
    #[error("{key} is not set in {}", path.display())]
    NotSet {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
}

impl Repo {
    /// Sets a key of two words in the repository's own configuration, for all its working trees.
    pub fn set_config(&self, key: &str, value: &str) -> Result<(), GitEditError> {
        change(&self.common_dir.join("config"), key, Some(value))
    }

    /// Removes one. That it is not there is [`GitEditError::NotSet`].
    pub fn unset_config(&self, key: &str) -> Result<(), GitEditError> {
        change(&self.common_dir.join("config"), key, None)
    }
}

fn change(path: &Path, key: &str, value: Option<&str>) -> Result<(), GitEditError> {
    let failed = |source| GitEditError::Io { path: path.to_owned(), source };
    let lock = path.with_extension("lock");
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&lock) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Err(GitEditError::Locked { path: path.to_owned() });
        }
        Err(e) => return Err(failed(e)),
    };
    let done = edited(path, key, value).and_then(|text| {
        let mode = fs::metadata(path).map_or(0o644, |m| m.permissions().mode() & 0o7777);
        file.write_all(text.as_bytes())
            .and_then(|()| file.set_permissions(fs::Permissions::from_mode(mode)))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&lock, path))
            .map_err(failed)
    });
    if done.is_err()
        && let Err(error) = fs::remove_file(&lock)
    {
        tracing::debug!(%error, lock = %lock.display(), "the lock stays");
    }
    done
}

fn edited(path: &Path, key: &str, value: Option<&str>) -> Result<String, GitEditError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(GitEditError::Io { path: path.to_owned(), source }),
    };
    let (path, key) = (path.to_owned(), key.to_owned());
    let new = match value {
        Some(value) => with(&text, &key, value),
        None => match without(&text, &key) {
            None => return Err(GitEditError::NotSet { path, key }),
            Some(new) => Some(new),
        },
    };
    let fits = |new: &String| {
        let before = GitConfig::of_text(&text)?;
        let after = GitConfig::of_text(new)?;
        let others = |config: &GitConfig| {
            config.pairs().filter(|(k, _)| !k.eq_ignore_ascii_case(&key)).cloned().collect::<Vec<_>>()
        };
        let is_right = after.get(&key) == value && others(&before) == others(&after);
        is_right.then_some(())
    };
    match new {
        Some(new) if fits(&new).is_some() => Ok(new),
        _ => Err(GitEditError::Unsafe { path, key }),
    }
}

/// The lines that set a key, and the last line of the last section that could hold it.
fn find(lines: &[&str], key: &str) -> (Vec<usize>, Option<usize>) {
    let Some((section, name)) = key.split_once('.') else { return (Vec::new(), None) };
    let (mut inside, mut set, mut last) = (false, Vec::new(), None);
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim();
        if let Some(head) = line.strip_prefix('[') {
            let named = head.split(']').next().unwrap_or_default().trim();
            inside = named.eq_ignore_ascii_case(section);
        } else if inside {
            let word = line.split(['=', ' ', '\t']).next().unwrap_or_default();
            if word.eq_ignore_ascii_case(name) {
                set.push(at);
            }
        }
        if inside && !line.is_empty() {
            last = Some(at);
        }
    }
    (set, last)
}

fn with(text: &str, key: &str, value: &str) -> Option<String> {
    let (section, name) = key.split_once('.')?;
    let mut lines: Vec<&str> = text.lines().collect();
    let new = format!("\t{name} = {}", quoted(value));
    let (set, last) = find(&lines, key);
    let head = format!("[{section}]");
    match (set.as_slice(), last) {
        ([only], _) => *lines.get_mut(*only)? = &new,
        ([], Some(last)) => lines.insert(last + 1, &new),
        ([], None) => lines.extend([head.as_str(), new.as_str()]),
        // git refuses too: it does not know which one is meant.
        _ => return None,
    }
    Some(lines.join("\n") + "\n")
}

fn without(text: &str, key: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let (set, _) = find(&lines, key);
    let [only] = set.as_slice() else { return None };
    lines.remove(*only);
    // A section that has become empty goes too.
    let section = key.split_once('.').map(|(section, _)| section)?;
    let is_head = |line: &str| {
        line.trim()
            .strip_prefix('[')
            .and_then(|l| l.strip_suffix(']'))
            .is_some_and(|n| n.eq_ignore_ascii_case(section))
    };
    let above = only.checked_sub(1)?;
    let is_alone = lines.get(*only).is_none_or(|next| next.trim_start().starts_with('['));
    if lines.get(above).is_some_and(|line| is_head(line)) && is_alone {
        lines.remove(above);
    }
    Some(lines.iter().flat_map(|line| [line, "\n"]).collect())
}

fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    let needs = value.starts_with(' ') || value.ends_with(' ') || value.contains(['#', ';']);
    if needs { format!("\"{escaped}\"") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "[core]\n\tbare = false\n[remote \"beads\"]\n\turl = x\n";

    #[test]
    fn a_key_is_set_in_its_section_or_in_a_new_one_and_nothing_else_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        fs::write(&path, PLAIN).unwrap();
        change(&path, "beads.role", Some("maintainer")).unwrap();
        change(&path, "core.hooksPath", Some("/a b/#c")).unwrap();
        change(&path, "beads.role", Some("contributor")).unwrap();
        let want = "[core]\n\tbare = false\n\thooksPath = \"/a b/#c\"\n[remote \"beads\"]\n\turl = x\n[beads]\n\trole = contributor\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), want);
        change(&path, "beads.role", None).unwrap();
        change(&path, "core.hooksPath", None).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), PLAIN);
        let error = change(&path, "beads.role", None).unwrap_err();
        assert!(matches!(error, GitEditError::NotSet { .. }), "{error}");
        assert!(!dir.path().join("config.lock").exists());
    }

    #[test]
    fn what_cannot_be_changed_line_by_line_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        for text in ["[beads]\n\trole = a \\\n b\n", "[beads]\n\trole = a\n\trole = b\n", "[beads\n"] {
            fs::write(&path, text).unwrap();
            let error = change(&path, "beads.role", Some("x")).unwrap_err();
            assert!(matches!(error, GitEditError::Unsafe { .. }), "{text:?}: {error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(dir.path().join("config.lock"), "").unwrap();
        let error = change(&path, "beads.role", Some("x")).unwrap_err();
        assert!(matches!(error, GitEditError::Locked { .. }), "{error}");
        assert!(dir.path().join("config.lock").exists(), "it is somebody else's");
    }
}
