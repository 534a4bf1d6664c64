//! What a database says of the repository and of the copy that it was made in (bd 1.1.0 `internal/beads/fingerprint.go`).
//! bd compares them later, so they have to be bd's to the byte.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::sys::host;

/// 32 hexadecimal digits: of the address of `origin`, else of the repository's root.
pub(in crate::cli::bd) fn repo_id(origin: Option<&str>, root: &Path) -> String {
    let named = match origin.map(str::trim).filter(|url| !url.is_empty()) {
        Some(url) => canonical(url, root),
        None => slashed(root),
    };
    hex(&Sha256::digest(named.as_bytes()), 16)
}

/// 16 hexadecimal digits of machine and place.
pub(super) fn clone_id(root: &Path) -> std::io::Result<String> {
    let named = format!("{}:{}", host::name()?, slashed(root));
    Ok(hex(&Sha256::digest(named.as_bytes()), 8))
}

fn hex(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn slashed(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

// `host/path` without user, usual port and `.git`, for all spellings of one address.
fn canonical(url: &str, root: &Path) -> String {
    let bare = |path: &str| {
        let path = path.trim_end_matches('/');
        path.strip_suffix(".git").unwrap_or(path).to_owned()
    };
    if let Some((_, rest)) = url.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (place, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
            _ => (place, ""),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let port = if matches!(port, "" | "22" | "80" | "443") { String::new() } else { format!(":{port}") };
        return format!("{host}{port}{}", bare(path));
    }
    let is_first = |colon: usize| colon > 0 && url.find('/').is_none_or(|slash| colon < slash);
    if let Some((host, path)) =
        url.find(':').filter(|colon| is_first(*colon)).and_then(|_| url.split_once(':'))
    {
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        return format!("{}/{}", host.to_lowercase(), bare(path));
    }
    slashed(&root.join(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_one_address_are_one_repository() {
        let root = Path::new("/nowhere");
        for url in [
            "https://GitHub.com/a/b.git",
            "git@github.com:a/b.git",
            "ssh://git@github.com:22/a/b/",
            "https://user:secret@github.com/a/b",
        ] {
            assert_eq!(canonical(url, root), "github.com/a/b", "{url}");
        }
        assert_eq!(canonical("ssh://h:2222/x", root), "h:2222/x");
        assert_eq!(canonical("../y", root), "/nowhere/../y");
        assert_eq!(repo_id(None, root).len(), 32);
    }
}
