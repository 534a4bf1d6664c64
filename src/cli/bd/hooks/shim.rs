//! The part of a git hook that is bd's: from one marker to the other. What stands outside is the user's and stays.

use super::super::version::BD_VERSION;

/// The hooks that have one.
pub(super) const NAMES: [&str; 5] =
    ["pre-commit", "post-merge", "pre-push", "post-checkout", "prepare-commit-msg"];

const BEGIN: &str = "# --- BEGIN BEADS INTEGRATION";
const END: &str = "# --- END BEADS INTEGRATION";

/// bd's part of this hook. It never keeps git from going on when bd is missing, slow (124) or without a database (3).
pub(super) fn section(name: &str) -> String {
    format!(
        "{BEGIN} v{BD_VERSION} ---
# Written by 'bd hooks install': what is between the markers is replaced, the rest of the file is yours.
if command -v bd >/dev/null 2>&1; then
  export BD_GIT_HOOK=1
  _bd_limit=${{BEADS_HOOK_TIMEOUT:-300}}
  if command -v timeout >/dev/null 2>&1; then
    timeout \"$_bd_limit\" bd hooks run {name} \"$@\"
  elif command -v gtimeout >/dev/null 2>&1; then
    gtimeout \"$_bd_limit\" bd hooks run {name} \"$@\"
  else
    bd hooks run {name} \"$@\"
  fi
  _bd_exit=$?
  case $_bd_exit in
    3) echo >&2 \"beads: no database yet, hook '{name}' is skipped\"; _bd_exit=0 ;;
    124) echo >&2 \"beads: hook '{name}' was not done within ${{_bd_limit}}s, git goes on without it\"; _bd_exit=0 ;;
  esac
  if [ \"$_bd_exit\" -ne 0 ]; then exit \"$_bd_exit\"; fi
fi
{END} v{BD_VERSION} ---
"
    )
}

/// A hook that has nothing but bd's part.
pub(super) fn alone(name: &str) -> String {
    format!("#!/usr/bin/env sh\n{}", section(name))
}

/// Where bd's part is: from the begin of its first line to behind its last.
fn part(text: &str) -> Option<(usize, usize)> {
    let begin = text.find(BEGIN)?;
    let begin = text.get(..begin)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(begin..)?.find(END)? + begin;
    let end = text.get(end..)?.find('\n').map_or(text.len(), |at| end + at + 1);
    Some((begin, end))
}

/// This hook with bd's part: put in its place if it is there, else at the end, or before a last `exec`, behind which nothing
/// would run.
pub(super) fn with_section(text: &str, name: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let section = section(name);
    let pieces =
        |at: usize, to: usize| (text.get(..at).unwrap_or_default(), text.get(to..).unwrap_or_default());
    if let Some((begin, end)) = part(&text) {
        let (before, after) = pieces(begin, end);
        return format!("{before}{section}{after}");
    }
    let text = without_markers(&text);
    let mut at = text.len();
    for line in text.lines().rev() {
        at = at.saturating_sub(line.len() + 1);
        let word = line.trim();
        if word.starts_with("exec ") {
            let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
            return format!("{before}{section}\n{after}");
        }
        if !(word.is_empty() || word.starts_with('#')) {
            break;
        }
    }
    let gap = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    format!("{text}{gap}\n{section}")
}

// A marker without its other half is what a cut-off writer left.
fn without_markers(text: &str) -> String {
    let kept = text.lines().filter(|line| !line.starts_with(BEGIN) && !line.starts_with(END));
    let mut kept: String = kept.flat_map(|line| [line, "\n"]).collect();
    if !text.ends_with('\n') {
        kept.pop();
    }
    kept
}

/// This hook without bd's part. None: it has none.
pub(super) fn without_section(text: &str) -> Option<String> {
    let Some((begin, end)) = part(text) else {
        return (text.contains(BEGIN) || text.contains(END)).then(|| without_markers(text));
    };
    let before = text.get(..begin).unwrap_or_default();
    let before = if before.ends_with("\n\n") {
        before.trim_end_matches('\n').to_owned() + "\n"
    } else {
        before.to_owned()
    };
    Some(before + text.get(end..).unwrap_or_default())
}

/// Whether nothing in a hook does anything.
pub(super) fn is_empty(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#'))
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) text: String,
    /// Whether it calls bd, so that it is as new as bd.
    pub(super) is_shim: bool,
    pub(super) is_bds: bool,
}

/// Which of bd's hooks this is, also of older forms.
pub(super) fn version(text: &str) -> Version {
    let after = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix)).map(str::trim);
    let of = |text: &str, is_shim: bool| Version {
        text: text.trim_start_matches('v').to_owned(),
        is_shim,
        is_bds: true,
    };
    if let Some(rest) = after(BEGIN) {
        return of(rest.trim_end_matches("---").trim(), true);
    }
    if let Some(rest) = after("# bd-shim ") {
        return Version { text: rest.to_owned(), ..of(rest, true) };
    }
    match after("# bd-hooks-version: ") {
        Some(rest) => of(rest, false),
        None => Version { is_bds: text.contains("# bd (beads)"), ..of("", false) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_part_of_a_hook_stays() {
        let own = "#!/bin/sh\necho mine\n";
        let both = with_section(own, "pre-push");
        assert!(both.starts_with("#!/bin/sh\necho mine\n\n# --- BEGIN BEADS"), "{both}");
        assert_eq!(with_section(&both, "pre-push"), both);
        assert_eq!(without_section(&both).unwrap(), own);
        assert_eq!(without_section(own), None);
        assert!(is_empty(&without_section(&alone("pre-push")).unwrap()));
        let older = both.replace("v1.1.0", "v1.0.5");
        assert_eq!(with_section(&older, "pre-push"), both);
        assert_eq!(version(&older), Version { text: "1.0.5".into(), is_shim: true, is_bds: true });
    }

    #[test]
    fn nothing_is_put_behind_a_last_exec_and_half_a_section_goes() {
        let own = "#!/bin/sh\necho a\nexec other \"$@\"\n";
        let both = with_section(own, "pre-commit");
        let at = |word: &str| both.find(word).unwrap();
        assert!(at("echo a") < at("BEGIN") && at("END") < at("exec other"), "{both}");
        let half = "#!/bin/sh\n# --- BEGIN BEADS INTEGRATION v1.0.0 ---\necho a\n";
        let whole = with_section(half, "pre-commit");
        assert_eq!(whole.matches("BEGIN BEADS").count(), 1, "{whole}");
        assert!(whole.contains("echo a"));
    }
}
