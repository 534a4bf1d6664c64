//! The user's `dolt`: where it is, which version. Asking costs a program start, so the answer is kept until the file
//! changes.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ServerError;
use crate::sys::{atomic, spawn};
use crate::town::Town;
use crate::town::env::Env;

/// The oldest version that the Go tools support; older ones lack settings that the configuration uses.
pub const MINIMUM: [u32; 3] = [1, 82, 4];

/// A `dolt` program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    /// Its path, as found on `PATH`.
    pub path: PathBuf,
    /// Its version, for example `1.88.1`.
    pub version: String,
    // Tell whether the file is still the one that was asked.
    inode: u64,
    size: u64,
    modified_ns: i128,
}

/// Finds `dolt` on `PATH` without asking for its version.
pub fn locate(env: &Env) -> Result<PathBuf, ServerError> {
    env.find_program("dolt").ok_or(ServerError::DoltMissing)
}

/// Finds `dolt` on `PATH` and its version; refuses one that is too old or no Dolt.
pub async fn find(town: &Town, env: &Env) -> Result<Binary, ServerError> {
    let path = locate(env)?;
    let cache = town.own_dir().join("dolt-version.json");
    let stamp = stamp_of(&path)?;
    let known: Option<Binary> =
        std::fs::read(&cache).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let known = known.filter(|b| b.path == path && (b.inode, b.size, b.modified_ns) == stamp);
    let binary = if let Some(binary) = known {
        binary
    } else {
        let version = ask_version(&path).await?;
        let (inode, size, modified_ns) = stamp;
        let binary = Binary { path, version, inode, size, modified_ns };
        remember(&cache, &binary);
        binary
    };
    check(&binary)?;
    Ok(binary)
}

fn stamp_of(path: &Path) -> Result<(u64, u64, i128), ServerError> {
    let meta = std::fs::metadata(path).map_err(ServerError::io(format!("look at {}", path.display())))?;
    let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    Ok((meta.ino(), meta.size(), modified))
}

async fn ask_version(path: &Path) -> Result<String, ServerError> {
    let strange = |problem: String| ServerError::DoltStrange { path: path.to_owned(), problem };
    let out = spawn::output(path, &["version"], Path::new("/"), Duration::from_secs(20))
        .await
        .map_err(|e| strange(format!("`dolt version` failed: {e}")))?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let first = text.lines().next().unwrap_or_default().trim();
    let number = first.split_whitespace().last().unwrap_or_default();
    if parse(number).is_none() {
        return Err(strange(format!("`dolt version` printed {first:?}")));
    }
    Ok(number.to_owned())
}

// Only a shortcut for the next time: without it everything works, slower.
fn remember(cache: &Path, binary: &Binary) {
    let text = serde_json::to_vec_pretty(binary).unwrap_or_default();
    if let Err(error) = atomic::write(cache, &text, 0o644) {
        tracing::debug!(%error, "the version of dolt is not remembered");
    }
}

fn check(binary: &Binary) -> Result<(), ServerError> {
    match parse(&binary.version) {
        Some(version) if version >= MINIMUM => Ok(()),
        _ => Err(ServerError::DoltTooOld {
            path: binary.path.clone(),
            version: binary.version.clone(),
            minimum: MINIMUM.map(|n| n.to_string()).join("."),
        }),
    }
}

fn parse(text: &str) -> Option<[u32; 3]> {
    let plain = text.trim_start_matches('v').split(['-', '+']).next()?;
    let mut parts = plain.split('.').map(|p| p.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f21_versions_compare_as_numbers() {
        assert!(parse("1.88.1").unwrap() > MINIMUM && parse("2.0.0").unwrap() > MINIMUM);
        assert!(parse("1.9.0").unwrap() < MINIMUM && parse("0.40.1").unwrap() < MINIMUM);
        assert_eq!(parse("1.83.0-rc1"), Some([1, 83, 0]));
        assert_eq!(parse("unknown"), None);
    }
}
