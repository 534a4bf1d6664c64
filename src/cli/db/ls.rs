//! `gt db ls`.

use std::fs;

use clap::Args;
use dolt_store::commit::{Database, Ref, RefKind, Session as State};
use serde_json::{Value, json};

use super::working::Working;
use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, styled};
use crate::cli::session::Session;

/// List branches, tags, remotes and stashes, where they point, and what is not committed or not ended.
#[derive(Debug, Args)]
pub(crate) struct Ls {}

/// A line of the list.
struct Line {
    kind: &'static str,
    name: String,
    target: String,
    about: String,
    // What the JSON says besides.
    more: Value,
}

impl Ls {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(super) fn run(&self, session: &Session, database: &Database, state: &State) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for found in state.all_refs()? {
            lines.extend(lines_of(state, &found));
        }
        let remotes = remotes(database);
        session.show(
            || {
                let row = |line: &Line| {
                    let mut body = json!({"kind": line.kind, "name": line.name, "target": line.target});
                    if let (Value::Object(body), Value::Object(more)) = (&mut body, &line.more) {
                        body.extend(more.clone());
                    }
                    body
                };
                let remote = |(name, url): &(String, String)| json!({"name": name, "url": url});
                json!({
                    "head": state.head(),
                    "refs": lines.iter().map(row).collect::<Vec<Value>>(),
                    "remotes": remotes.iter().map(remote).collect::<Vec<Value>>(),
                })
            },
            || {
                let mut rows = vec![["", "KIND", "NAME", "TARGET", "ABOUT"].map(str::to_owned).to_vec()];
                for line in &lines {
                    let is_head = line.kind == "branch" && line.name == state.head();
                    let mark = if is_head { "*" } else { "" };
                    rows.push(
                        [mark, line.kind, &line.name, &line.target, &line.about].map(str::to_owned).to_vec(),
                    );
                }
                for (name, url) in &remotes {
                    rows.push(["", "remote", name, url, ""].map(str::to_owned).to_vec());
                }
                for (i, line) in out::columns(&rows).iter().enumerate() {
                    if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
                }
            },
        );
        Ok(())
    }
}

// What cannot be read of one name does not hide the others.
fn lines_of(state: &State, found: &Ref) -> Vec<Line> {
    let kind = match found.kind {
        RefKind::Branch => "branch",
        RefKind::Tag => "tag",
        RefKind::Remote => "remote",
        RefKind::Stash => "stash",
        RefKind::WorkingSet if is_orphan(state, &found.name) => "working set",
        _ => return Vec::new(),
    };
    let line = |target: String, about: String, more: Value| Line {
        kind,
        name: found.name.clone(),
        target,
        about,
        more,
    };
    let target = found.target.to_string();
    let read = match found.kind {
        RefKind::Branch | RefKind::WorkingSet => Working::of(state, &found.name).map(|working| {
            let about = working.as_ref().map(Working::about).unwrap_or_default();
            vec![line(target.clone(), about, json!({"working": working.map(|w| w.to_json())}))]
        }),
        RefKind::Tag => state.tag(found.target).map(|tag| {
            let about = tag.description.lines().next().unwrap_or_default().to_owned();
            let more = json!({"object": target, "message": tag.description, "tagger": tag.name, "millis": tag.user_millis});
            vec![line(tag.commit.to_string(), about, more)]
        }),
        RefKind::Stash => stashes(state, found),
        _ => Ok(vec![line(target.clone(), String::new(), json!({}))]),
    };
    read.unwrap_or_else(|error| {
        let problem = format!("cannot be read: {error}");
        vec![line(target, problem.clone(), json!({"problem": problem}))]
    })
}

// A working set that outlived its branch.
fn is_orphan(state: &State, branch: &str) -> bool {
    state.resolve_exact(&format!("refs/heads/{branch}")).is_ok_and(|found| found.is_none())
}

// Each of the list, the newest first; as `dolt stash list` names and describes it.
fn stashes(state: &State, list: &Ref) -> dolt_store::Result<Vec<Line>> {
    let line = |(position, stash): (usize, dolt_store::Stash)| {
        let id = format!("stash@{{{position}}}");
        // `dolt stash` keeps them under this name; SQL lets people choose another.
        let name = if list.name == "dolt-cli" { id.clone() } else { format!("{} {id}", list.name) };
        let branch = stash.branch.strip_prefix("refs/heads/").unwrap_or(&stash.branch);
        Line {
            kind: "stash",
            name,
            target: stash.head.to_string(),
            about: format!("WIP on {branch}: {}", stash.description),
            more: json!({"list": list.name, "stash": id, "branch": branch, "message": stash.description, "root": stash.root.to_string()}),
        }
    };
    Ok(state.stashes(list.target)?.into_iter().enumerate().map(line).collect())
}

// Names and places of the remotes, from the file that Dolt keeps them in. A password in one is nobody's business.
fn remotes(database: &Database) -> Vec<(String, String)> {
    let file = database.store().path().parent().map(|dolt| dolt.join("repo_state.json"));
    let text = file.and_then(|f| fs::read_to_string(f).ok()).unwrap_or_default();
    let state: Value = serde_json::from_str(&text).unwrap_or_default();
    let of = |(name, remote): (&String, &Value)| {
        Some((name.clone(), without_password(remote.get("url").and_then(Value::as_str)?)))
    };
    state.get("remotes").and_then(Value::as_object).into_iter().flatten().filter_map(of).collect()
}

fn without_password(url: &str) -> String {
    let split = || {
        let (scheme, rest) = url.split_once("://")?;
        let (user, host) = rest.split_once('@').filter(|(user, _)| !user.contains('/'))?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    };
    split().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_of_remotes_are_not_shown() {
        assert_eq!(without_password("https://me:secret@host/a/b"), "https://me:***@host/a/b");
        for plain in ["https://host/a:b@c", "file:///a/b", "https://me@host/a", "git@host:a/b"] {
            assert_eq!(without_password(plain), plain);
        }
    }
}
