//! Git's configuration, read from its files: system, user, repository, worktree and `GIT_CONFIG_COUNT`, with `include` and
//! `includeIf` for `gitdir`, `gitdir/i` and `onbranch`. The last value of a key wins, as with `git config --get`.
//!
//! A file that git could not read makes git refuse every question; here the whole configuration is then empty too, and
//! says why. Not known: `hasconfig` conditions and `GIT_CONFIG_PARAMETERS` (`git -c`).

use std::fs;
use std::path::{Path, PathBuf};

use super::git::{self, Repo};
use crate::town::env::{self, Env};

/// As many includes as git follows, one inside the other.
const DEPTH: usize = 10;

/// Keys and values in the order in which git reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitConfig {
    values: Vec<(String, String)>,
    /// Why git would refuse: a file that is no configuration, with its line.
    pub problem: Option<String>,
}

impl GitConfig {
    /// All that is in force in a repository, or outside of any.
    pub fn load(env: &Env, repo: Option<&Repo>) -> Self {
        let mut reader = Reader { env, repo, found: Self::default() };
        if env.text("GIT_CONFIG_NOSYSTEM").is_none() {
            reader.file(&env.path("GIT_CONFIG_SYSTEM").unwrap_or_else(|| PathBuf::from("/etc/gitconfig")), 0);
        }
        if let Some(global) = env.path("GIT_CONFIG_GLOBAL") {
            reader.file(&global, 0);
        } else if let Some(home) = env.home() {
            let config = env.path(env::XDG_CONFIG_HOME).unwrap_or_else(|| home.join(".config"));
            reader.file(&config.join("git/config"), 0);
            reader.file(&home.join(".gitconfig"), 0);
        }
        if let Some(repo) = repo {
            reader.file(&repo.common_dir.join("config"), 0);
            let split = reader.found.get("extensions.worktreeconfig").is_some_and(|v| v == "true");
            if split {
                reader.file(&repo.git_dir.join("config.worktree"), 0);
            }
        }
        reader.numbered();
        let mut found = reader.found;
        if found.problem.is_some() {
            found.values.clear();
        }
        found
    }

    /// Only the repository's own file, includes not followed.
    pub(super) fn of_repository(repo: &Repo) -> Self {
        let mut found = Self::default();
        if let Ok(text) = fs::read_to_string(repo.common_dir.join("config")) {
            match parse(&text) {
                Ok(values) => found.values = values,
                Err(line) => found.problem = Some(format!("bad config line {line}")),
            }
        }
        found
    }

    /// What stands in one file, includes not followed. None: git would refuse it.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        Some(Self { values: parse(text).ok()?, problem: None })
    }

    /// Keys and values, in order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        self.values.iter()
    }

    /// Whether any remote has an address.
    pub fn has_remote(&self) -> bool {
        let is_address = |key: &str| {
            key.strip_prefix("remote.")
                .is_some_and(|rest| rest.rsplit_once('.').is_some_and(|(_, name)| name == "url"))
        };
        self.values.iter().any(|(key, _)| is_address(key))
    }

    /// The value of a key, for example `user.name`. Section and name in any case; a subsection as it is written.
    pub fn get(&self, key: &str) -> Option<&str> {
        let key = normal(key);
        self.values.iter().rev().find(|(k, _)| *k == key).map(|(_, value)| value.as_str())
    }
}

struct Reader<'a> {
    env: &'a Env,
    repo: Option<&'a Repo>,
    found: GitConfig,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) {
        let Ok(bytes) = fs::read(path) else { return };
        let values = match parse(&String::from_utf8_lossy(&bytes)) {
            Ok(values) => values,
            Err(line) => {
                let problem = format!("{}: bad config line {line}", path.display());
                self.found.problem.get_or_insert(problem);
                return;
            }
        };
        for (key, value) in values {
            let included = match key.strip_suffix(".path") {
                Some("include") => true,
                Some(section) => section.strip_prefix("includeif.").is_some_and(|c| self.holds(c, path)),
                None => false,
            };
            if included && depth < DEPTH {
                let target = self.expand(&value, path);
                self.file(&target, depth + 1);
            }
            self.found.values.push((key, value));
        }
    }

    fn expand(&self, named: &str, file: &Path) -> PathBuf {
        let home = self.env.home().unwrap_or_default();
        match named.strip_prefix("~/") {
            Some(rest) => home.join(rest),
            None => file.parent().unwrap_or(Path::new("/")).join(named),
        }
    }

    fn holds(&self, condition: &str, file: &Path) -> bool {
        let Some(repo) = self.repo else { return false };
        if let Some(pattern) = condition.strip_prefix("onbranch:") {
            let pattern = if pattern.ends_with('/') { format!("{pattern}**") } else { pattern.to_owned() };
            return git::branch(repo).is_some_and(|b| matches(&pattern, &b));
        }
        let (pattern, any_case) =
            match (condition.strip_prefix("gitdir:"), condition.strip_prefix("gitdir/i:")) {
                (Some(pattern), _) => (pattern, false),
                (_, Some(pattern)) => (pattern, true),
                _ => return false,
            };
        let mut pattern = if pattern.starts_with("~/") || pattern.starts_with("./") {
            let path = self.expand(pattern.strip_prefix("./").unwrap_or(pattern), file);
            let real = path.canonicalize().unwrap_or(path);
            let slash = if pattern.ends_with('/') { "/" } else { "" };
            format!("{}{slash}", real.display())
        } else if pattern.starts_with('/') {
            pattern.to_owned()
        } else {
            format!("**/{pattern}")
        };
        if pattern.ends_with('/') {
            pattern.push_str("**");
        }
        let dir = repo.git_dir.to_string_lossy();
        if any_case {
            return matches(&pattern.to_lowercase(), &dir.to_lowercase());
        }
        matches(&pattern, &dir)
    }

    fn numbered(&mut self) {
        let count =
            self.env.text("GIT_CONFIG_COUNT").and_then(|c| c.trim().parse::<usize>().ok()).unwrap_or(0);
        for n in 0..count.min(1000) {
            let Some(key) = self.env.text(&format!("GIT_CONFIG_KEY_{n}")) else { return };
            let value = self.env.text(&format!("GIT_CONFIG_VALUE_{n}")).unwrap_or_default();
            self.found.values.push((normal(&key), value));
        }
    }
}

/// Section and name in lower case, the subsection between them untouched.
fn normal(key: &str) -> String {
    match (key.split_once('.'), key.rsplit_once('.')) {
        (Some((section, _)), Some((path, name))) if path.len() > section.len() => {
            let subsection = path.get(section.len()..).unwrap_or_default();
            format!("{}{subsection}.{}", section.to_lowercase(), name.to_lowercase())
        }
        _ => key.to_lowercase(),
    }
}

/// Parses a file; the error is the number of the line that is wrong.
fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut values = Vec::new();
    let mut section: Option<String> = None;
    let mut lines = text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let mut rest = line.trim_start();
        if let Some(head) = rest.strip_prefix('[') {
            let (name, after) = section_head(head).ok_or(number)?;
            section = Some(name);
            rest = after.trim_start();
        }
        if rest.is_empty() || rest.starts_with(['#', ';']) {
            continue;
        }
        let section = section.as_ref().ok_or(number)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(number);
        }
        let key = format!("{section}.{}", name.to_ascii_lowercase());
        let after = after.trim_start();
        let value = match after.strip_prefix('=') {
            Some(raw) => value_of(raw, &mut lines).ok_or(number)?,
            // A name alone is a switch that is on.
            None if after.is_empty() || after.starts_with(['#', ';']) => "true".to_owned(),
            None => return Err(number),
        };
        values.push((key, value));
    }
    Ok(values)
}

/// `section]`, `section "sub"]` and the old `section.sub]`: the name, and what follows it on the line.
fn section_head(head: &str) -> Option<(String, &str)> {
    let end = head.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.')?;
    let (name, rest) = head.split_at(end);
    if name.is_empty() {
        return None;
    }
    let mut name = name.to_ascii_lowercase();
    let rest = rest.trim_start();
    if let Some(after) = rest.strip_prefix(']') {
        return Some((name, after));
    }
    let quoted = rest.strip_prefix('"')?;
    name.push('.');
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            '"' => return Some((name, quoted.get(at + 1..)?.trim_start().strip_prefix(']')?)),
            other => name.push(other),
        }
    }
    None
}

/// A value with its quotes, escapes, comment and continued lines taken care of.
fn value_of<'a>(raw: &'a str, lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<String> {
    let mut value = String::new();
    // White space counts only when something follows it.
    let mut spaces = String::new();
    let mut quoted = false;
    let mut line = raw.trim_start();
    loop {
        let mut chars = line.chars();
        let mut continued = false;
        while let Some(c) = chars.next() {
            match c {
                '"' => quoted = !quoted,
                '#' | ';' if !quoted => break,
                c if c.is_ascii_whitespace() && !quoted => {
                    if !value.is_empty() {
                        spaces.push(c);
                    }
                    continue;
                }
                '\\' => {
                    let escaped = match chars.next() {
                        None => {
                            continued = true;
                            break;
                        }
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('b') => '\u{8}',
                        Some(c @ ('\\' | '"')) => c,
                        Some(_) => return None,
                    };
                    value.push_str(&std::mem::take(&mut spaces));
                    value.push(escaped);
                    continue;
                }
                c => {
                    value.push_str(&std::mem::take(&mut spaces));
                    value.push(c);
                    continue;
                }
            }
            value.push_str(&std::mem::take(&mut spaces));
        }
        if !continued {
            return (!quoted).then_some(value);
        }
        line = lines.next()?.1;
    }
}

/// Git's path patterns: `?` and `*` stop at a slash, `**/` is any number of directories, `/**` all that lies below.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    matches_from(&pattern, &text)
}

fn matches_from(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', '*', '/', rest @ ..] => {
            matches_from(rest, text)
                || text.iter().enumerate().any(|(i, c)| {
                    *c == '/' && text.get(i + 1..).is_some_and(|after| matches_from(rest, after))
                })
        }
        ['*', '*'] => true,
        ['*', rest @ ..] => {
            let stop = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=stop).any(|n| text.get(n..).is_some_and(|after| matches_from(rest, after)))
        }
        ['?', rest @ ..] => matches!(text, [c, after @ ..] if *c != '/' && matches_from(rest, after)),
        [one, rest @ ..] => matches!(text, [c, after @ ..] if c == one && matches_from(rest, after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> GitConfig {
        match parse(text) {
            Ok(values) => GitConfig { values, problem: None },
            Err(line) => panic!("line {line}"),
        }
    }

    #[test]
    fn values_are_read_as_git_reads_them() {
        let read = config(
            "\u{feff}[user]\n\tname = A  B # who\n email = \"a;b\" \n[Core]Bare=yes\n[x \"Sub.1\"]\n k = a\\\n  b\\tc\n flag\n[old.style]\nz=1\n",
        );
        assert_eq!(read.get("user.name"), Some("A  B"));
        assert_eq!(read.get("USER.Email"), Some("a;b"));
        assert_eq!(read.get("core.bare"), Some("yes"));
        assert_eq!(read.get("x.Sub.1.k"), Some("a  b\tc"));
        assert_eq!(read.get("x.sub.1.k"), None, "a subsection keeps its case");
        assert_eq!(read.get("x.Sub.1.flag"), Some("true"));
        assert_eq!(read.get("old.style.z"), Some("1"));
    }

    #[test]
    fn a_line_that_git_refuses_is_refused_with_its_number() {
        for (bad, line) in [
            ("name = x\n", 1),
            ("[user]\n\n= x\n", 3),
            ("[user\n", 1),
            ("[a]\nb = \"x\n", 2),
            ("[a]\nb = \\q\n", 2),
        ] {
            assert_eq!(parse(bad).unwrap_err(), line, "{bad}");
        }
    }

    #[test]
    fn patterns_of_conditions_match_as_git_matches_them() {
        for (pattern, text, want) in [
            ("/w/**", "/w/a/.git", true),
            ("/w/**", "/x/a/.git", false),
            ("**/a/.git", "/w/b/a/.git", true),
            ("**/foo/**", "/x/foo/.git", true),
            ("/w/*/.git", "/w/a/b/.git", false),
            ("/w/?/.git", "/w/a/.git", true),
            ("feature/**", "feature/x", true),
            ("main", "main", true),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} on {text}");
        }
    }
}
