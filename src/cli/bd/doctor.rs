//! `bd doctor`: whether database and workspace are as they should be, in both engines; `--fix` puts right what can be put
//! right without losing anything, after a backup of all issues.
//!
//! What bd keeps on purpose is not reported: a content hash is that of the text at creation, and differs after an update.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use beads::edge::Target;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::{Bd, Calling};
use super::export::Export;
use super::version::BD_VERSION;
use crate::cli::out;
use crate::store::family::Family;
use crate::store::load;
use crate::store::reader::{By, Reader, into_number, into_text, of_text};
use crate::store::schema::{LOCAL_VERSION, MAIN_VERSION};
use crate::store::{Outcome, StoreError, step};
use crate::sys::net::Port;
use crate::town::workspace::Metadata;
use dolt_store::table::Value;

/// Look whether everything is as it should be
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Put right what can be put right; all issues are written to .beads/backup first
    #[arg(long)]
    fix: bool,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
    #[arg(long, hide = true)]
    deep: bool,
    #[arg(long, hide = true)]
    server: bool,
    /// One kind of check
    #[arg(long)]
    check: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Error,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: State,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    fix: &'static str,
    category: &'static str,
}

const CORE: &str = "Core System";
const DATA: &str = "Data & Config";
const FIX: &str = "bd doctor --fix";

fn ok(name: &'static str, category: &'static str, message: impl Into<String>) -> Check {
    Check { name, status: State::Ok, message: message.into(), detail: String::new(), fix: "", category }
}

impl Check {
    fn bad(self, status: State, detail: String, fix: &'static str) -> Self {
        Self { status, detail, fix, ..self }
    }
}

// How many of a list are told.
const SHOWN: usize = 10;

fn shown<T: std::fmt::Display>(all: &[T]) -> String {
    let more =
        if all.len() > SHOWN { format!("\n… and {} more", all.len() - SHOWN) } else { String::new() };
    all.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join("\n") + &more
}

/// What is wrong with rows, and how it is put right.
#[derive(Debug, Default)]
struct Wrong {
    /// Edges whose beginning or end is not there: table and key.
    dangling: Vec<(&'static str, String, String)>,
    /// Flags that are not what the graph says: family, id, what it should be.
    flags: Vec<(Family, String, bool)>,
    /// Counters below the largest child: family, parent, largest.
    counters: Vec<(Family, String, i64)>,
    /// Ids in both families.
    twice: Vec<String>,
}

impl Wrong {
    fn find(reader: &dyn Reader) -> Result<Self, StoreError> {
        let briefs = load::briefs(reader, None)?;
        let mut wrong = Self::default();
        for family in Family::BOTH {
            for stored in load::edges(reader, family, By::All)? {
                let edge = &stored.edge;
                let ends = !briefs.contains_key(&edge.issue_id)
                    || (stored.target != Target::External && !briefs.contains_key(&edge.depends_on_id));
                if ends {
                    let told = format!("{} -> {} ({})", edge.issue_id, edge.depends_on_id, edge.kind);
                    wrong.dangling.push((family.edges(), stored.id.clone(), told));
                }
            }
        }
        let graph = load::graph(reader)?;
        for (id, brief) in &briefs {
            if graph.is_blocked(id) != brief.is_blocked {
                wrong.flags.push((brief.family, id.clone(), graph.is_blocked(id)));
            }
        }
        wrong.flags.sort_by(|a, b| a.1.cmp(&b.1));
        let mut largest: BTreeMap<(&str, &str), (Family, i64)> = BTreeMap::new();
        for (id, brief) in &briefs {
            let Some((parent, number)) = id.rsplit_once('.') else { continue };
            let Ok(number) = number.parse::<i64>() else { continue };
            if let Some(of) = briefs.get(parent).filter(|of| of.family == brief.family) {
                let entry = largest.entry((of.family.child_counters(), parent)).or_insert((of.family, 0));
                entry.1 = entry.1.max(number);
            }
        }
        for family in Family::BOTH {
            let mut known = BTreeMap::new();
            for row in reader.rows(family.child_counters(), &["parent_id", "last_child"], By::All)? {
                let mut row = row.into_iter();
                let parent = row.next().and_then(into_text).unwrap_or_default();
                known.insert(parent, row.next().as_ref().and_then(into_number).unwrap_or(0));
            }
            for ((table, parent), (_, number)) in &largest {
                // A parent whose children never had a counter gets one with the next child.
                if *table == family.child_counters()
                    && known.get(*parent).is_some_and(|stored| stored < number)
                {
                    wrong.counters.push((family, (*parent).to_owned(), *number));
                }
            }
        }
        let of = |family: Family| reader.texts(family.rows(), "id", By::All);
        let issues: HashSet<String> = of(Family::Issues)?.into_iter().collect();
        wrong.twice = of(Family::Wisps)?.into_iter().filter(|id| issues.contains(id)).collect();
        Ok(wrong)
    }

    fn checks(&self) -> Vec<Check> {
        let list = |check: Check, lines: Vec<String>, what: &str, status: State, fix: &'static str| {
            if lines.is_empty() {
                return check;
            }
            let message = format!("{} {what}", lines.len());
            Check { message, ..check.bad(status, shown(&lines), fix) }
        };
        let edges = self.dangling.iter().map(|(_, _, told)| told.clone()).collect();
        let flags =
            self.flags.iter().map(|(_, id, is)| format!("{id} is {}", if *is { "blocked" } else { "free" }));
        let counters = self.counters.iter().map(|(_, parent, number)| format!("{parent} has child {number}"));
        vec![
            list(
                ok("Dependencies", DATA, "Every edge has both ends"),
                edges,
                "edges without an end",
                State::Warning,
                FIX,
            ),
            list(
                ok("Blocked State", DATA, "is_blocked is consistent"),
                flags.collect(),
                "flags differ from what the edges say",
                State::Error,
                FIX,
            ),
            list(
                ok("Child Counters", DATA, "No number can be given twice"),
                counters.collect(),
                "counters are behind their children",
                State::Warning,
                FIX,
            ),
            list(
                ok("Issues and Wisps", DATA, "No id is in both tables"),
                self.twice.clone(),
                "ids are in both tables",
                State::Error,
                "",
            ),
        ]
    }

    fn is_fixable(&self) -> bool {
        !(self.dangling.is_empty() && self.flags.is_empty() && self.counters.is_empty())
    }
}

impl Doctor {
    pub(super) fn run(self, calling: Calling) -> Answer {
        if let Some(check) = &self.check {
            return Err(super::later::not_here(&format!("bd doctor --check={check}")));
        }
        let path = calling.untold_workspace()?.dir().to_owned();
        let json = calling.global.json;
        let mut checks = Vec::new();
        match calling.bd() {
            Err(refusal) => {
                checks.push(ok("Database", CORE, "It cannot be found").bad(
                    State::Error,
                    refusal.text().to_owned(),
                    "",
                ));
            }
            Ok(bd) => match bd.reader() {
                Err(refusal) => {
                    let fix = "bd init";
                    checks.push(ok("Database", CORE, "It cannot be opened").bad(
                        State::Error,
                        refusal.text().to_owned(),
                        fix,
                    ));
                }
                Ok(reader) => self.look(&bd, &*reader, &mut checks)?,
            },
        }
        let is_fine = checks.iter().all(|check| check.status != State::Error);
        if json {
            print_object(&json!({
                "path": path.parent().unwrap_or(Path::new("/")),
                "checks": checks,
                "overall_ok": is_fine,
                "cli_version": BD_VERSION,
            }))?;
        } else {
            tell(&checks);
        }
        if is_fine { Ok(()) } else { Err(Refusal::silent()) }
    }

    fn look(&self, bd: &Bd, reader: &dyn Reader, checks: &mut Vec<Check>) -> Answer {
        let engine = bd.store.engine_now()?;
        checks.push(ok("Database", CORE, format!("It answers ({}: {})", engine.chosen.as_str(), engine.why)));
        checks.push(schema(reader)?);
        checks.push(local_tables(reader)?);
        checks.push(identity(bd, reader)?);
        let mut wrong = Wrong::find(reader)?;
        if self.fix && wrong.is_fixable() {
            let backup = back_up(bd)?;
            fix(bd)?;
            if !bd.json() {
                out::line(format!("Fixed. Everything as it was before: {}", backup.display()));
            }
            wrong = Wrong::find(&*bd.reader()?)?;
        }
        checks.extend(wrong.checks());
        checks.push(port_file(bd));
        checks.push(left_over(bd.beads_dir(), self.fix)?);
        Ok(())
    }
}

fn newest(reader: &dyn Reader, table: &str) -> Result<Option<i64>, StoreError> {
    let rows = reader.rows(table, &["version"], By::All)?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(into_number)).max())
}

fn schema(reader: &dyn Reader) -> Answer<Check> {
    let (main, local) = (newest(reader, "schema_migrations")?, newest(reader, "ignored_schema_migrations")?);
    let known = (i64::from(MAIN_VERSION), i64::from(LOCAL_VERSION));
    let main = main.unwrap_or(0);
    let check = ok("Schema", CORE, format!("version {main}, local {}", local.unwrap_or(0)));
    let detail = format!("this program knows {} and {}", known.0, known.1);
    Ok(match (main.cmp(&known.0), local.unwrap_or(known.1).cmp(&known.1)) {
        (std::cmp::Ordering::Greater, _) | (_, std::cmp::Ordering::Greater) => {
            check.bad(State::Error, detail, "")
        }
        (std::cmp::Ordering::Less, _) | (_, std::cmp::Ordering::Less) => {
            check.bad(State::Warning, detail, "bd migrate")
        }
        _ => check,
    })
}

// A clone has none of them until something is written; then all of them.
fn local_tables(reader: &dyn Reader) -> Answer<Check> {
    let is_there = newest(reader, "ignored_schema_migrations")?.is_some();
    let message = if is_there {
        "The tables of this clone are there"
    } else {
        "A fresh clone: its own tables come with the first write"
    };
    Ok(ok("Local Tables", CORE, message))
}

fn identity(bd: &Bd, reader: &dyn Reader) -> Answer<Check> {
    let stored = load::keyed(reader, "metadata", "_project_id")?;
    let named = bd.workspace.metadata().and_then(Metadata::project_id);
    let check = ok("Project Identity", CORE, "metadata.json and the database name one project");
    Ok(match (stored, named) {
        (Some(stored), Some(named)) if stored != named => {
            let detail = format!("metadata.json: {named}\ndatabase: {stored}");
            Check { message: "Two projects".to_owned(), ..check.bad(State::Error, detail, "") }
        }
        (None, _) | (_, None) => Check {
            message: "One of them names none".to_owned(),
            ..check.bad(State::Warning, String::new(), "")
        },
        _ => check,
    })
}

fn port_file(bd: &Bd) -> Check {
    let check = ok("Server Port", CORE, "One port, or none");
    let file = bd.beads_dir().join("dolt-server.port");
    let Ok(text) = std::fs::read_to_string(&file) else { return check };
    let named = bd.workspace.metadata().and_then(|metadata| metadata.number("dolt_server_port"));
    let Ok(port) = text.trim().parse::<Port>() else {
        let detail = format!("{} holds {text:?}", file.display());
        return Check {
            message: "A port file without a port".to_owned(),
            ..check.bad(State::Warning, detail, "gt dolt fix-metadata")
        };
    };
    match named {
        Some(named) if named != i64::from(port.get()) => {
            let detail =
                format!("metadata.json: {named}\ndolt-server.port: {port}, which is the one that counts");
            Check {
                message: "Two ports".to_owned(),
                ..check.bad(State::Warning, detail, "gt dolt fix-metadata")
            }
        }
        _ => check,
    }
}

// What a killed `init` left: never a workspace, and nobody opens it.
fn left_over(beads_dir: &Path, fix: bool) -> Answer<Check> {
    let check = ok("Leftovers", DATA, "None");
    let parent = beads_dir.parent().unwrap_or(Path::new("/"));
    let places = [(parent.to_owned(), ".beads-new-"), (beads_dir.join("embeddeddolt"), ".gt_new_")];
    let mut found: Vec<PathBuf> = Vec::new();
    for (dir, prefix) in places {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        found.extend(
            entries.filter(|e| e.file_name().to_string_lossy().starts_with(prefix)).map(|e| e.path()),
        );
    }
    // Somebody may be making one just now.
    let is_old = |path: &PathBuf| {
        let changed = std::fs::metadata(path).and_then(|m| m.modified()).ok();
        let changed = changed.and_then(|time| jiff::Timestamp::try_from(time).ok());
        changed.is_some_and(|time| crate::sys::clock::age(time) > std::time::Duration::from_hours(1))
    };
    found.retain(is_old);
    if found.is_empty() {
        return Ok(check);
    }
    if fix {
        for path in &found {
            std::fs::remove_dir_all(path)
                .map_err(|error| Refusal::plain(format!("{}: {error}", path.display())))?;
        }
        return Ok(Check { message: format!("{} removed", found.len()), ..check });
    }
    let lines: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
    Ok(Check {
        message: format!("{} of an init that was cut off", lines.len()),
        ..check.bad(State::Warning, shown(&lines), FIX)
    })
}

fn back_up(bd: &Bd) -> Answer<PathBuf> {
    let dir = bd.beads_dir().join("backup");
    let failed = |error: std::io::Error| Refusal::plain(format!("{}: {error}", dir.display()));
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let stamp = bd.now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let path = dir.join(format!("before-doctor-{stamp}.jsonl"));
    Export::everything_to(&path).run(bd)?;
    Ok(path)
}

// Looked for anew in the transaction: what was told may have changed meanwhile.
fn fix(bd: &Bd) -> Answer {
    let act = bd.act();
    bd.write("doctor", |tx| {
        let wrong = Wrong::find(tx.reader())?;
        step(tx, &act, |work| {
            for (table, id, _) in &wrong.dangling {
                work.changes.delete(table, vec![("id", of_text(id))]);
            }
            for (family, parent, number) in &wrong.counters {
                let row = vec![("parent_id", of_text(parent)), ("last_child", Value::Int(*number))];
                work.changes.put(family.child_counters(), row);
            }
            Ok(())
        })?;
        // The edges that have gone may have held something up.
        let flags = Wrong::find(tx.reader())?.flags;
        step(tx, &act, |work| flags.iter().try_for_each(|(family, id, is)| work.set_flag(*family, id, *is)))?;
        let words = || "bd: doctor --fix".to_owned();
        Ok(Outcome { message: bd.message(words, words), result: () })
    })
}

fn tell(checks: &[Check]) {
    out::line(format!("\nbd doctor v{BD_VERSION}\n"));
    for check in checks {
        let sign = match check.status {
            State::Ok => "✓",
            State::Warning => "⚠",
            State::Error => "✖",
        };
        out::line(format!("  {sign}  {}: {}", check.name, check.message));
        for line in check.detail.lines() {
            out::line(format!("       {line}"));
        }
        if !check.fix.is_empty() {
            out::line(format!("       → {}", check.fix));
        }
    }
    let count = |state: State| checks.iter().filter(|check| check.status == state).count();
    out::line(format!(
        "\n✓ {} passed  ⚠ {} warnings  ✖ {} errors",
        count(State::Ok),
        count(State::Warning),
        count(State::Error)
    ));
}
