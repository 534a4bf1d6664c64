//! What `bd init` puts into a project: the lines that git shall not see, the settings to choose from, a page for people, a
//! section for agents. Lines that bd looks for are bd's own; prose is ours.

/// Runtime files of `.beads`, in the groups of bd's file. bd writes its file anew if one of its lines is not there.
pub(super) const BEADS_GITIGNORE: &str = "\
# The database: Dolt keeps it, not git
dolt/
embeddeddolt/
proxieddb/

# While programs run
bd.sock
bd.sock.startlock
sync-state.json
last-touched
.exclusive-lock
daemon.*
push-state.json
*.lock

# A key that must never be committed
.beads-credential-key

# Of this machine alone
.local_version
proxied_server_client_info.json
redirect
.sync.lock
export-state/
export-state.json
last_pull

# Issues without history, as older versions kept them
ephemeral.sqlite3
ephemeral.sqlite3-journal
ephemeral.sqlite3-wal
ephemeral.sqlite3-shm

# The server of this project
dolt-server.pid
dolt-server.log
dolt-server.lock
dolt-server.port
dolt-server.activity
dolt-pprof/

# Copies made before repairs, and backups
*.corrupt.backup/
backup/

# Variables of this machine
.env

# Databases from before Dolt
*.db
*.db?*
*.db-journal
*.db-wal
*.db-shm
db.sqlite
bd.db
";

/// The head of the lines in the project's own `.gitignore`.
pub(super) const PROJECT_HEAD: &str = "# Beads / Dolt files (added by bd init)";
/// The same lines for whoever wants nothing of it in a tracked file.
pub(super) const STEALTH_PROJECT_HEAD: &str =
    "# Beads: Dolt files kept local via .git/info/exclude (stealth / no-git-ops)";
/// What git shall not see outside of `.beads`.
pub(super) const PROJECT_LINES: [&str; 4] = [".dolt/", "*.db", ".beads-credential-key", ".beads/proxieddb/"];

/// The head of the lines of a stealthy workspace.
pub(super) const STEALTH_HEAD: &str = "# Beads stealth mode (added by bd init --stealth)";
/// These lines.
pub(super) const STEALTH_LINES: [&str; 2] = [".beads/", ".claude/settings.local.json"];

/// The head of the lines that keep a fork's issues out of requests to its upstream.
pub(super) const FORK_HEAD: &str = "# Beads fork protection (bd init)";
/// These lines.
pub(super) const FORK_LINES: [&str; 3] = [".beads/", "**/RECOVERY*.md", "**/SESSION*.md"];

/// All settings are off until somebody takes a `#` away.
pub(super) const CONFIG: &str = "\
# Settings of bd in this repository. A variable BD_<NAME> goes before the file, a flag before both.
# `bd config show` lists what is in force and where it comes from.

# What ids begin with. Kept in the database; here only for `bd init` in a fresh clone.
# issue-prefix: \"\"

# JSON without --json
# json: false

# Who acts, if neither --actor nor BEADS_ACTOR says so
# actor: \"\"

# How much of a title is shown after a change: 0 is nothing
# output:
#   title-length: 255

# Whether each change is a Dolt commit: on, off or batch
# dolt.auto-commit: on

# No commands of git
# no-git-ops: false

# A JSONL copy of the issues in .beads, for viewers and other tools. It is neither the store nor a backup.
# export:
#   auto: false
#   path: issues.jsonl
#   interval: 60s
#   git-add: false
# import:
#   path: issues.jsonl

# Copies of the whole database
# backup:
#   enabled: false
#   interval: 15m
";

/// A page for people who find the directory.
pub(super) const README: &str = "\
# Issues

This directory holds the issues of this repository. They live in a Dolt database, which git ignores; what git keeps are the
files that say where the database is and how it is used. The program is `bd`, or `gt bd`:

```
bd ready                     # what can be begun?
bd create \"Title\" -p 1       # a new issue
bd update <id> --claim       # take one
bd dep add <id> <other>      # it waits for another
bd close <id>                # it is done
bd export -o issues.jsonl    # all of them as text
```

| file | what it is |
|---|---|
| `metadata.json` | which database this is |
| `config.yaml` | settings |
| `interactions.jsonl` | a record of changes |
| `hooks/` | what git runs |
| `embeddeddolt/`, `dolt/` | the database; never change or remove anything in there by hand |
";

/// The lines around the section of a file for agents.
pub(super) const AGENTS_BEGIN: &str = "<!-- BEGIN BEADS INTEGRATION";
/// Its end.
pub(super) const AGENTS_END: &str = "<!-- END BEADS INTEGRATION -->";

/// The section of a file for agents.
pub(super) const AGENTS_SECTION: &str = "\
<!-- BEGIN BEADS INTEGRATION v:1 profile:minimal -->
## Issues

The tasks of this project are issues of **bd (beads)**. `bd prime` prints the whole way of working with them.

```bash
bd ready                # what can be begun
bd show <id>            # one issue with its dependencies
bd update <id> --claim  # take it
bd close <id>           # it is done
```

- Every task is an issue: no lists of tasks in markdown files or in the tools of an editor.
- What later sessions should know goes into `bd remember \"…\"`.
- Instructions of the user and of the repository go before this section. Commit and push only when they say so.
<!-- END BEADS INTEGRATION -->
";

/// A file for agents where there was none.
pub(super) const AGENTS_FILE_HEAD: &str = "\
# Agent Instructions

Use commands that do not ask: `cp -f`, `mv -f`, `rm -f`. A prompt that nobody answers stops the session.

";
