//! Revisions as people write them: `main`, `v1`, `origin/main`, an address, `HEAD`, each with `~n` and `^n` behind; `WORKING`,
//! `STAGED`, and `stash@{n}` for what was put away.

use super::Session;
use crate::{Error, Hash, Result};

impl Session {
    /// The commit that a revision names. `None`: there is no such thing.
    pub fn resolve_commit(&self, revision: &str) -> Result<Option<Hash>> {
        let split = revision.find(['~', '^']).unwrap_or(revision.len());
        let (base, mut steps) = revision.split_at(split);
        let Some(mut at) = self.resolve_base(base)? else { return Ok(None) };
        while let Some(kind) = steps.chars().next() {
            let rest = steps.get(1..).unwrap_or_default();
            let digits =
                rest.len().saturating_sub(rest.trim_start_matches(|c: char| c.is_ascii_digit()).len());
            let (number, after) = rest.split_at(digits);
            let Ok(n) = (if number.is_empty() { Ok(1usize) } else { number.parse() }) else {
                return Ok(None);
            };
            let next = match kind {
                '~' => self.ancestor(at, n)?,
                '^' if n == 0 => Some(at),
                '^' => self.commit(at)?.parents.get(n.saturating_sub(1)).copied(),
                _ => None,
            };
            let Some(next) = next else { return Ok(None) };
            at = next;
            steps = after;
        }
        Ok(Some(at))
    }

    /// The root value that a revision names: that of a commit, or `WORKING` or `STAGED` of the branch the directory is on, or
    /// `stash@{n}` as `dolt stash list` numbers them.
    pub fn resolve_root(&self, revision: &str) -> Result<Option<Hash>> {
        let upper = revision.to_ascii_uppercase();
        if upper == "WORKING" || upper == "STAGED" {
            if let Some(set) = self.working_set(self.head())? {
                return Ok(Some(if upper == "WORKING" { set.working } else { set.staged }));
            }
            return self.resolve_root("HEAD");
        }
        let stash = revision.strip_prefix("stash@{").and_then(|r| r.strip_suffix('}')?.parse::<usize>().ok());
        if let Some(position) = stash {
            let Some(list) = self.resolve_exact("refs/stashes/dolt-cli")? else { return Ok(None) };
            return Ok(self.stashes(list)?.get(position).map(|stash| stash.root));
        }
        match self.resolve_commit(revision)? {
            Some(commit) => Ok(Some(self.commit(commit)?.root_value)),
            None => Ok(None),
        }
    }

    fn resolve_base(&self, base: &str) -> Result<Option<Hash>> {
        if base.is_empty() || base.eq_ignore_ascii_case("HEAD") {
            return self.resolve_exact(&format!("refs/heads/{}", self.head()));
        }
        if let Some(hash) = Hash::parse(base) {
            return match self.commit(hash) {
                Ok(_) => Ok(Some(hash)),
                Err(Error::MissingChunk { .. } | Error::BadChunk { .. }) => Ok(None),
                Err(other) => Err(other),
            };
        }
        for front in ["refs/heads/", "refs/remotes/", ""] {
            if let Some(found) = self.resolve_exact(&format!("{front}{base}"))? {
                return Ok(Some(found));
            }
        }
        match self.resolve_exact(&format!("refs/tags/{base}"))? {
            Some(tag) => Ok(Some(self.tag(tag)?.commit)),
            None => Ok(None),
        }
    }

    fn ancestor(&self, mut at: Hash, steps: usize) -> Result<Option<Hash>> {
        for _ in 0..steps {
            match self.commit(at)?.parents.first() {
                Some(parent) => at = *parent,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}
