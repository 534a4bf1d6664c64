//! `bd prime`: what an agent should know when a session begins. Hooks call it, so it never fails: outside of a workspace it
//! prints nothing, and without a database it leaves the memories out.

use clap::Args;
use serde_json::json;

use super::context::Calling;
use super::memory;
use crate::cli::out;
use crate::town::env::XDG_CONFIG_HOME;
use crate::town::workspace::{GitConfig, Workspace};

/// Print what an agent should know
#[derive(Debug, Args)]
pub(super) struct Prime {
    /// All of it, also where tools of an MCP server are at hand
    #[arg(long)]
    full: bool,
    /// The short form
    #[arg(long)]
    mcp: bool,
    /// Nothing about git
    #[arg(long)]
    stealth: bool,
    /// The text that PRIME.md would replace
    #[arg(long)]
    export: bool,
    /// Only what was remembered
    #[arg(long)]
    memories_only: bool,
    /// As a hook of an editor wants it
    #[arg(long)]
    hook_json: bool,
}

const WHOLE: &str = "[bd prime] If this text is cut off, read the whole of it before you go on: memories and rules follow.\n\n";

impl Prime {
    pub(super) fn run(self, calling: &Calling) {
        let text = calling.find().ok().map(|workspace| self.text(calling, &workspace));
        if self.hook_json {
            let content = text.unwrap_or_default();
            let told = json!({ "hookSpecificOutput": { "hookEventName": "SessionStart", "additionalContext": content } });
            out::line(told);
        } else if let Some(text) = text {
            out::raw(&text);
        }
    }

    fn text(&self, calling: &Calling, workspace: &Workspace) -> String {
        let env = &calling.env;
        let own = [
            Some(workspace.cwd().join(".beads/PRIME.md")),
            Some(workspace.dir().join("PRIME.md")),
            env.path(XDG_CONFIG_HOME)
                .or_else(|| env.home().map(|home| home.join(".config")))
                .map(|config| config.join("beads/PRIME.md")),
        ];
        if !self.export
            && let Some(text) = own.into_iter().flatten().find_map(|path| std::fs::read_to_string(path).ok())
        {
            return text;
        }
        let is_short = !self.full && (self.mcp || has_tools(calling));
        let memories = memories(calling, is_short && !self.memories_only);
        let mut text = WHOLE.to_owned();
        if self.memories_only {
            let none = "# Beads Persistent Memories\n\nNo memories stored. Use `bd remember \"insight\"` to add one.\n";
            text.push_str(if memories.is_empty() { none } else { &memories });
            return text;
        }
        let git = Git::of(calling, workspace, self.stealth);
        text.push_str(if is_short {
            "# Beads Issue Tracker Active\n\n"
        } else {
            "# Beads Workflow Context\n\n"
        });
        if let Some(redirect) = workspace.redirect() {
            let named = redirect.to.to_string_lossy();
            text.extend(["The issues are those of ", &named, "; other places share them.\n\n"]);
        }
        if !memories.is_empty() {
            text.push_str(&memories);
            text.push('\n');
        }
        text.push_str(&close_protocol(&git));
        text.push_str(RULES);
        text.extend(["- ", git.rule(), "\n"]);
        text.push_str(if is_short {
            "\nStart: the tool `ready` shows what can be begun.\n"
        } else {
            COMMANDS
        });
        text
    }
}

/// What may be done with git at the end of a session.
enum Git {
    /// Nothing.
    Nothing,
    /// There is nowhere to push to.
    Local,
    /// Commits when somebody says so, and no push.
    NoPush,
    /// Commits and pushes when somebody says so.
    WhenTold,
}

impl Git {
    fn of(calling: &Calling, workspace: &Workspace, is_stealthy: bool) -> Self {
        let config = workspace.config();
        if is_stealthy || config.bool("no-git-ops") {
            return Self::Nothing;
        }
        let git = GitConfig::load(&calling.env, workspace.repo());
        if !git.has_remote() {
            return Self::Local;
        }
        if config.bool("no-push") { Self::NoPush } else { Self::WhenTold }
    }

    fn rule(&self) -> &'static str {
        match self {
            Self::Nothing => "**Git**: no commands of git here",
            Self::Local => "**Git**: there is no remote, everything stays on this machine",
            Self::NoPush => "**Git**: commit only when the user or the repository says so; never push",
            Self::WhenTold => "**Git**: commit and push only when the user or the repository says so",
        }
    }
}

fn close_protocol(git: &Git) -> String {
    let steps: &[&str] = match git {
        Git::Nothing | Git::Local => &["bd close <ids>      (what is done)"],
        Git::NoPush | Git::WhenTold => &[
            "bd close <ids>      (what is done)",
            "tests and linters   (if code has changed)",
            "git status          (what has changed)",
            "tell what was done, what is left, and which commit you propose",
        ],
    };
    let steps = steps.join("\n[ ] ");
    format!("# SESSION CLOSE PROTOCOL\n\nBefore you say \"done\":\n\n```\n[ ] {steps}\n```\n\n")
}

// Whether the user's editor has the tools of a server for beads.
fn has_tools(calling: &Calling) -> bool {
    let Some(home) = calling.env.home() else { return false };
    let Ok(text) = std::fs::read_to_string(home.join(".claude/settings.json")) else { return false };
    let settings: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let servers = settings.get("mcpServers").and_then(|servers| servers.as_object());
    servers.is_some_and(|servers| servers.keys().any(|name| name.to_lowercase().contains("beads")))
}

// None of them if the database cannot be read: a session begins all the same.
fn memories(calling: &Calling, is_short: bool) -> String {
    let again =
        Calling { env: calling.env.clone(), global: calling.global.clone(), cwd: calling.cwd.clone() };
    let found = again.bd().and_then(|bd| memory::all(&*bd.reader()?));
    let found = match found {
        Ok(found) => found,
        Err(refusal) => {
            return format!("\n## Persistent Memories\n\nThey cannot be read: {}\n", refusal.text());
        }
    };
    if found.is_empty() {
        return String::new();
    }
    if is_short {
        let lines =
            found.iter().map(|(key, value)| format!("- **{key}**: {}\n", memory::one_line(value, 150)));
        return format!("\n## Memories\n{}", lines.collect::<String>());
    }
    let entries = found.iter().map(|(key, value)| format!("### {key}\n{value}\n\n"));
    format!(
        "\n## Persistent Memories ({})\n\nKept with `bd remember`. Change one: `bd remember --key <key> \"new\"`. Find: `bd memories <word>`. Remove: `bd forget <key>`.\n\n{}",
        found.len(),
        entries.collect::<String>()
    )
}

const RULES: &str = "\
## Core Rules
- **Tasks are issues**: `bd create`, `bd ready`, `bd close`; no lists of tasks in files or in the tools of an editor
- **First the issue, then the code**: claim it when you begin (`bd update <id> --claim`)
- **What others should know**: `bd remember \"insight\"`; no files of your own for it
";

const COMMANDS: &str = "
## Essential Commands

### Finding Work
- `bd ready` - what can be begun
- `bd list --status=open`, `bd list --status=in_progress`
- `bd show <id>` - one issue with its dependencies

### Creating & Updating
- `bd create --title=\"…\" --description=\"why, and what\" --type=task|bug|feature --priority=2` - priorities 0 to 4, 0 is the highest
- `bd create … --parent=<id>` - a part of something larger
- `bd update <id> --claim`, `--assignee=…`, `--title=…`, `--notes=…`, `--design=…`
- `bd close <id> <id> --reason=\"…\"`

### Dependencies & Blocking
- `bd dep add <issue> <other>` - the issue waits for the other
- `bd blocked` - what waits

### Sync & Collaboration
- `bd search <words>`

### Project Health
- `bd stats`, `bd doctor`

### Quality Tools
- `bd create --acceptance=\"…\" --design=\"…\"`
- `bd lint` - issues with missing sections

### Lifecycle & Hygiene
- `bd defer <id> --until=\"date\"`, `bd supersede <id> --with=<id>`
- `bd stale`, `bd orphans`
- `bd gate create --blocks <id> --reason=\"…\"` - a person has to decide

### Structured Workflows
- `bd mol pour <template>`, `bd mol current`

### Not In This Program
The real bd can do it on the same database: `bd formula list`, `bd human`, `bd preflight`, `bd doctor --check=conventions`

## Common Workflows

```bash
bd ready                     # find
bd update <id> --claim       # take
bd close <id>                # finish
```

```bash
bd create --title=\"Feature X\" --description=\"…\" --type=feature
bd create --title=\"Tests for X\" --description=\"…\" --type=task
bd dep add <tests> <feature> # the tests wait for the feature
```
";
