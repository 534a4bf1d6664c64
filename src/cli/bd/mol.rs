//! `bd mol`: molecules, which are issues with everything below them, and templates that they are made of
//! (bd 1.1.0 `cmd/bd/mol_current.go`, `pour.go`, `wisp.go`, `mol_bond.go`).
//!
//! Templates are those of the database. Formulas, which are files, are not cooked here: that is said, never guessed.

use std::collections::BTreeMap;

use beads::{EdgeType, Issue, IssueType, Status};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::answer::{Answer, Refusal, print_list, print_object};
use super::context::Bd;
use super::fields::Fields;
use super::{molecule, wisp};
use crate::cli::out;
use crate::store::load::{self, With};
use crate::store::ops::{self, AddEdge, Cloned, Cloning, Molecule};
use crate::store::reader::{By, Reader, of_text};
use crate::store::{Outcome, StoreError, family::Family, step};

/// Work with molecules
#[derive(Debug, Subcommand)]
pub(super) enum Mol {
    Current(Current),
    Wisp(Box<wisp::Wisp>),
    Pour(Pour),
    Bond(Bond),
    Show(molecule::Show),
}

impl Mol {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self {
            Self::Current(c) => c.run(bd),
            Self::Wisp(c) => c.run(bd),
            Self::Pour(c) => c.run(bd),
            Self::Bond(c) => c.run(bd),
            Self::Show(c) => c.run(bd),
        }
    }
}

/// Show how far a molecule is
#[derive(Debug, Args)]
pub(super) struct Current {
    /// Which one; without it, those that you are working on
    molecule: Option<String>,
    /// Those of somebody else
    #[arg(long = "for", value_name = "NAME")]
    of: Option<String>,
    /// So many steps at most; 0: all
    #[arg(long, default_value_t = 0)]
    limit: usize,
    /// Steps from one to another, such as 1-50
    #[arg(long)]
    range: Option<String>,
}

/// A step as bd tells it.
#[derive(Debug, Serialize)]
struct Step {
    issue: Issue,
    status: &'static str,
    is_current: bool,
}

/// A molecule as bd tells it.
#[derive(Debug, Serialize)]
struct Shown {
    molecule_id: String,
    molecule_title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    assignee: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_step: Option<Issue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<Issue>,
    steps: Option<Vec<Step>>,
    completed: usize,
    total: usize,
}

impl Shown {
    fn of(reader: &dyn Reader, id: &str) -> Result<Self, StoreError> {
        let molecule = Molecule::load(reader, id)?;
        let (progress, root) = (molecule.progress(), molecule.root());
        let step =
            |(issue, status): (Issue, &'static str)| Step { issue, status, is_current: status == "current" };
        let steps: Vec<Step> = progress.steps.into_iter().map(step).collect();
        Ok(Self {
            molecule_id: root.id.clone(),
            molecule_title: root.title.clone(),
            assignee: root.assignee.clone(),
            current_step: progress.current,
            next_step: progress.next,
            total: steps.len(),
            // bd has no list where there is no step.
            steps: Some(steps).filter(|steps| !steps.is_empty()),
            completed: progress.completed,
        })
    }
}

/// Above so many steps only a summary is shown.
const LARGE: usize = 100;

impl Current {
    fn run(self, bd: &Bd) -> Answer {
        let range = self.range.as_deref().map(range).transpose()?;
        let reader = bd.reader()?;
        let mut molecules = Vec::new();
        if let Some(given) = &self.molecule {
            let id = molecule::resolved(&*reader, given)?;
            let mut shown = Shown::of(&*reader, &id)?;
            if shown.total > LARGE && range.is_none() && self.limit == 0 && !bd.json() {
                summary(&shown);
                return Ok(());
            }
            if let Some(steps) = &mut shown.steps {
                if let Some((from, to)) = range {
                    *steps = steps.drain(..).skip(from - 1).take(to + 1 - from).collect();
                } else if self.limit > 0 {
                    steps.truncate(self.limit);
                }
            }
            molecules.push(shown);
        } else {
            let agent = self.of.filter(|name| !name.is_empty()).unwrap_or_else(|| bd.actor.clone());
            for id in in_progress(&*reader, &agent)? {
                molecules.push(Shown::of(&*reader, &id)?);
            }
            if molecules.is_empty() {
                for id in hooked(&*reader, &agent)? {
                    molecules.push(Shown::of(&*reader, &id)?);
                }
            }
            if molecules.is_empty() && !bd.json() {
                let whose = if agent.is_empty() { String::new() } else { format!(" for {agent}") };
                out::line(format!("No molecules in progress{whose}.\n\nTo start work on a molecule:"));
                out::line("  bd mol wisp create <proto-id>  # Instantiate as ephemeral wisp");
                out::line("  bd update <step-id> --claim  # Claim a step");
                return Ok(());
            }
        }
        if bd.json() {
            return print_list(&molecules);
        }
        for (at, molecule) in molecules.iter().enumerate() {
            if at > 0 {
                out::line("");
            }
            tell(molecule);
        }
        Ok(())
    }
}

fn range(text: &str) -> Answer<(usize, usize)> {
    let wrong = |why: &str| Refusal::new(format!("invalid range '{text}': {why}"));
    let parts: Vec<&str> = text.split('-').map(str::trim).collect();
    let [from, to] = parts[..] else { return Err(wrong("expected format 'start-end' (e.g., '1-50')")) };
    let number = |part: &str, name: &str| {
        part.parse::<usize>()
            .map_err(|_| wrong(&format!("invalid {name}: strconv.Atoi: parsing {part:?}: invalid syntax")))
    };
    let (from, to) = (number(from, "start")?, number(to, "end")?);
    if from < 1 {
        return Err(wrong("start must be >= 1"));
    }
    if to < from {
        return Err(wrong("end must be >= start"));
    }
    Ok((from, to))
}

fn with_status(reader: &dyn Reader, status: &Status, assignee: &str) -> Result<Vec<Issue>, StoreError> {
    let mut found = Vec::new();
    for family in Family::BOTH {
        let mut by = vec![("status", of_text(status.as_str()))];
        if !assignee.is_empty() {
            by.push(("assignee", of_text(assignee)));
        }
        found.extend(load::issues(reader, family, By::Equal(&by), With::NOTHING)?);
    }
    Ok(found)
}

// The molecules of somebody's steps that are in progress, in the order of their ids.
fn in_progress(reader: &dyn Reader, agent: &str) -> Result<Vec<String>, StoreError> {
    let mut roots = Vec::new();
    for issue in with_status(reader, &Status::InProgress, agent)? {
        roots.extend(ops::molecule_of(reader, &issue.id)?.map(|root| root.id));
    }
    roots.sort();
    roots.dedup();
    Ok(roots)
}

// Molecules that are hooked themselves, or that something hooked waits for.
fn hooked(reader: &dyn Reader, agent: &str) -> Result<Vec<String>, StoreError> {
    let mut roots = Vec::new();
    for issue in with_status(reader, &Status::Hooked, agent)? {
        if issue.issue_type == IssueType::Epic {
            roots.push(issue.id);
            continue;
        }
        for stored in load::edges_from(reader, std::slice::from_ref(&issue.id))? {
            if stored.edge.kind != EdgeType::Blocks {
                continue;
            }
            let with = With { labels: true, ..With::NOTHING };
            let Some((other, _)) = load::issue(reader, &stored.edge.depends_on_id, with)? else { continue };
            if other.issue_type == IssueType::Epic || ops::is_template(&other) {
                roots.push(other.id);
            }
        }
    }
    roots.sort();
    roots.dedup();
    Ok(roots)
}

fn tell(shown: &Shown) {
    out::line(format!("You're working on molecule {}\n  {}", shown.molecule_id, shown.molecule_title));
    if !shown.assignee.is_empty() {
        out::line(format!("  Assigned to: {}", shown.assignee));
    }
    out::line("");
    for step in shown.steps.iter().flatten() {
        let here = if step.is_current { " <- YOU ARE HERE" } else { "" };
        out::line(format!("  [{}] {}: {}{here}", step.status, step.issue.id, step.issue.title));
    }
    out::line(format!("\nProgress: {}/{} steps complete", shown.completed, shown.total));
    if let (Some(next), None) = (&shown.next_step, &shown.current_step) {
        out::line(format!(
            "\nNext ready: {} - {}\n  Start with: bd update {} --claim",
            next.id, next.title, next.id
        ));
    }
    if let Some(step) = shown.current_step.as_ref().or(shown.next_step.as_ref()) {
        out::line(format!("\n💡 Run `bd show {}` to see detailed instructions.", step.id));
    }
}

fn summary(shown: &Shown) {
    let (id, total) = (&shown.molecule_id, shown.total);
    // Tenths of a percent, rounded.
    let tenths = (shown.completed * 2000 / total.max(1)).div_ceil(2);
    out::line(format!("Molecule: {id}\n  {}\n", shown.molecule_title));
    out::line(format!("Progress: {} / {total} steps ({}.{}%)", shown.completed, tenths / 10, tenths % 10));
    if let Some(current) = &shown.current_step {
        out::line(format!("Current step: {}", current.id));
    }
    out::line(format!("\nNote: This molecule has {total} steps (threshold: {LARGE})."));
    out::line("To view steps, use one of:");
    out::line(format!("  bd mol current {id} --limit 50        # First 50 steps"));
    out::line(format!("  bd mol current {id} --range 1-50     # Steps 1-50"));
    out::line(format!("  bd mol progress {id}                 # Efficient progress summary"));
    if let Some(current) = &shown.current_step {
        out::line(format!("\n💡 Run `bd show {}` to see detailed instructions.", current.id));
    }
}

/// `--var key=value`.
pub(super) fn values(given: &[String]) -> Answer<BTreeMap<String, String>> {
    let one = |text: &String| match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(Refusal::plain(format!("invalid variable format '{text}', expected 'key=value'"))),
    };
    given.iter().map(one).collect()
}

/// The template of this id; `missing` is what is to be said about a name that is none.
pub(super) fn template(reader: &dyn Reader, given: &str, missing: &str) -> Answer<Molecule> {
    let id = Bd::resolve(reader, given).map_err(|error| match error {
        StoreError::NotFound(_) => not_cooked(missing),
        error => error.into(),
    })?;
    let molecule = Molecule::load(reader, &id)?;
    if !ops::is_template(molecule.root()) {
        return Err(Refusal::plain(format!("{id} is not a proto (missing '{}' label)", ops::TEMPLATE)));
    }
    Ok(molecule)
}

/// A name that is no issue may be that of a formula.
fn not_cooked(words: &str) -> Refusal {
    Refusal::plain(words).hint(
        "formulas are not cooked here yet; the real bd can do it on the same database, and 'bd mol' goes on from there",
    )
}

// What `mol bond` takes for the name of a formula.
fn may_be_formula(given: &str) -> bool {
    given.starts_with("mol-") || given.contains(".formula") || given.contains(['/', '\\'])
}

// The names in double braces that have no value.
fn missing(molecules: &[&Molecule], values: &BTreeMap<String, String>) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for name in molecules.iter().flat_map(|molecule| molecule.variables()) {
        if !values.contains_key(&name) && !missing.contains(&name) {
            missing.push(name);
        }
    }
    missing
}

/// That every name in double braces has a value.
pub(super) fn complete(molecules: &[&Molecule], values: &BTreeMap<String, String>) -> Answer {
    let missing = missing(molecules, values);
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(Refusal::plain(format!("missing required variables: {}", missing.join(", ")))
            .hint(format!("Provide them with: --var {first}=<value>"))),
    }
}

const CLONED: &str = "bd: clone template subgraph";

/// Makes a molecule, in a transaction of its own.
pub(super) fn make(bd: &Bd, verb: &str, template: &Molecule, how: &Cloning) -> Answer<Cloned> {
    let act = bd.act();
    bd.write(verb, |tx| {
        let made = ops::instantiate(tx, &act, template, how)?;
        let words = || CLONED.to_owned();
        Ok(Outcome { message: bd.message(words, words), result: made })
    })
}

/// Make durable issues of a template
#[derive(Debug, Args)]
pub(super) struct Pour {
    /// The template
    proto: String,
    /// A value for a name in double braces, key=value
    #[arg(long)]
    var: Vec<String>,
    /// Only show what would be made
    #[arg(long)]
    dry_run: bool,
    /// Who gets the root
    #[arg(long, default_value = "")]
    assignee: String,
}

impl Pour {
    fn run(self, bd: &Bd) -> Answer {
        let values = values(&self.var)?;
        let proto = template(
            &*bd.reader()?,
            &self.proto,
            &format!("{} not found as formula or proto ID", self.proto),
        )?;
        complete(&[&proto], &values)?;
        if self.dry_run {
            let (count, id) = (proto.issues.len(), &proto.root().id);
            out::line(format!("\nDry run: would pour {count} issues from proto {id}\n"));
            out::line("Storage: permanent (.beads/)\n");
            for issue in &proto.issues {
                let is_given = issue.id == *id && !self.assignee.is_empty();
                let whom = if is_given { format!(" (assignee: {})", self.assignee) } else { String::new() };
                out::line(format!(
                    "  - {} (from {}){whom}",
                    ops::substitute(&issue.title, &values),
                    issue.id
                ));
            }
            return Ok(());
        }
        let how = Cloning { values, assignee: self.assignee, addition: "mol", ..Cloning::default() };
        let made = make(bd, "mol pour", &proto, &how)?;
        if bd.json() {
            return print_object(&self::made(&made).with("attached", 0).with("phase", "liquid"));
        }
        out::line(format!("✓ Poured mol: created {} issues\n  Root issue: {}", made.ids.len(), made.root));
        out::line("  Phase: liquid (persistent in .beads/)");
        Ok(())
    }
}

/// What was made of a template, as bd tells it.
pub(super) fn made(cloned: &Cloned) -> Fields {
    Fields::default()
        .with("new_epic_id", &cloned.root)
        .with("id_mapping", &cloned.ids)
        .with("created", cloned.ids.len())
}

/// Put two molecules together
#[derive(Debug, Args)]
pub(super) struct Bond {
    /// The first, which the second comes behind
    first: String,
    /// The second
    second: String,
    /// sequential, parallel or conditional
    #[arg(long = "type", default_value = "sequential")]
    kind: String,
    /// A value for a name in double braces, key=value
    #[arg(long)]
    var: Vec<String>,
    /// What is made of a template becomes wisps
    #[arg(long)]
    ephemeral: bool,
    /// What is made of a template becomes durable issues
    #[arg(long)]
    pour: bool,
    /// A name for ids below the molecule, such as arm-{{name}}
    #[arg(long = "ref", default_value = "", value_name = "NAME")]
    reference: String,
    /// Only show what would be put together
    #[arg(long)]
    dry_run: bool,
    /// Of two templates: the title of what is made
    #[arg(long = "as", default_value = "", hide_default_value = true, value_name = "TITLE")]
    title: String,
}

impl Bond {
    // By the label, while the bond itself goes by the flag.
    fn preview(&self, first: &Molecule, second: &Molecule, values: &BTreeMap<String, String>) {
        let (a, b) = (first.root(), second.root());
        let (a_is_proto, b_is_proto) = (ops::is_template(a), ops::is_template(b));
        let word = |is_proto: bool| if is_proto { "proto" } else { "molecule" };
        out::line(format!("\nDry run: bond {} + {}", a.id, b.id));
        out::line(format!("  A: {} ({})", a.title, word(a_is_proto)));
        out::line(format!("  B: {} ({})", b.title, word(b_is_proto)));
        out::line(format!("  Bond type: {}", self.kind));
        if self.ephemeral {
            out::line("  Phase override: vapor (--ephemeral)");
        } else if self.pour {
            out::line("  Phase override: liquid (--pour)");
        }
        if !self.reference.is_empty() {
            let resolved = ops::substitute(&self.reference, values);
            out::line(format!("  Child ref: {} (resolved: {resolved})", self.reference));
        }
        match (a_is_proto, b_is_proto) {
            (true, true) => {
                out::line("  Result: compound proto");
                if !self.title.is_empty() {
                    out::line(format!("  Custom title: {}", self.title));
                }
            }
            (false, false) => out::line("  Result: compound molecule"),
            _ => out::line("  Result: spawn proto, attach to molecule"),
        }
    }

    fn run(self, bd: &Bd) -> Answer {
        if self.ephemeral && self.pour {
            return Err(Refusal::new("cannot use both --ephemeral and --pour"));
        }
        let kind = match self.kind.as_str() {
            "sequential" => EdgeType::Blocks,
            "parallel" => EdgeType::ParentChild,
            "conditional" => EdgeType::ConditionalBlocks,
            other => {
                let words = "must be: sequential, parallel, or conditional";
                return Err(Refusal::new(format!("invalid bond type '{other}', {words}")));
            }
        };
        let values = values(&self.var)?;
        let reader = bd.reader()?;
        let operand = |given: &str| -> Answer<Molecule> {
            let id = Bd::resolve(&*reader, given).map_err(|error| match error {
                StoreError::NotFound(_) if may_be_formula(given) => {
                    not_cooked(&format!("'{given}' not found as issue or formula"))
                }
                StoreError::NotFound(_) => {
                    Refusal::new(format!("'{given}' not found (not an issue ID or formula name)"))
                }
                error => error.into(),
            })?;
            Ok(Molecule::load(&*reader, &id)?)
        };
        let (first, second) = (operand(&self.first)?, operand(&self.second)?);
        if self.dry_run {
            self.preview(&first, &second, &values);
            return Ok(());
        }
        // bd goes by the flag here, not by the label.
        let made = match (first.root().is_template, second.root().is_template) {
            (true, true) => {
                return Err(Refusal::new("bonding: a compound of two templates is made by the real bd only"));
            }
            (true, false) => Some((&first, second.root())),
            (false, true) => Some((&second, first.root())),
            (false, false) => None,
        };
        let (result, spawned) = if let Some((proto, target)) = made {
            let missing = missing(&[proto], &values);
            if !missing.is_empty() {
                let names = missing.join(", ");
                return Err(Refusal::new(format!(
                    "bonding: missing required variables: {names} (use --var)"
                )));
            }
            let ephemeral = self.ephemeral || (target.ephemeral && !self.pour);
            let below = (!self.reference.is_empty()).then(|| (target.id.clone(), self.reference.clone()));
            let attach = Some((target.id.clone(), kind));
            let how = Cloning { values, ephemeral, attach, below, ..Cloning::default() };
            let made = make(bd, "mol bond", proto, &how)
                .map_err(|refusal| refusal.within("bonding: spawning and attaching proto"))?;
            (target.id.clone(), Some(made.ids))
        } else {
            join(bd, &first.root().id, &second.root().id, &kind)?;
            (first.root().id.clone(), None)
        };
        let count = spawned.as_ref().map_or(0, BTreeMap::len);
        if bd.json() {
            let told = Fields::default()
                .with("result_id", &result)
                .with("result_type", "compound_molecule")
                .with("bond_type", &self.kind)
                .maybe("spawned", spawned.as_ref().map(BTreeMap::len))
                .maybe("id_mapping", spawned.as_ref());
            return print_object(&told);
        }
        out::line(format!("✓ Bonded: {} + {}", first.root().id, second.root().id));
        out::line(format!("  Result: {result} (compound_molecule)"));
        if count > 0 {
            out::line(format!("  Spawned: {count} issues"));
        }
        if self.ephemeral {
            out::line("  Phase: vapor (ephemeral, Ephemeral=true)");
        } else if self.pour {
            out::line("  Phase: liquid (persistent, Ephemeral=false)");
        }
        Ok(())
    }
}

// The second depends on the first.
fn join(bd: &Bd, first: &str, second: &str, kind: &EdgeType) -> Answer {
    let act = bd.act();
    let mut is_circle = false;
    let written = bd.write("mol bond", |tx| {
        is_circle = false;
        if let Some(path) = circle(tx.reader(), first, second)? {
            is_circle = true;
            return Err(StoreError::Refused(format!(
                "cannot bond {first} → {second}: would create a transitive dependency cycle: {}",
                path.join(" → ")
            )));
        }
        let edge = beads::Edge::new(second, first, kind.clone());
        step(tx, &act, |work| ops::add_edge(work, AddEdge::of(edge)))?;
        let words = || format!("bd: bond molecules {first} + {second}");
        Ok(Outcome { message: bd.message(words, words), result: () })
    });
    // bd says it twice of an edge that is refused.
    let words = if is_circle { "bonding" } else { "bonding: linking molecules: linking molecules" };
    written.map_err(|refusal| refusal.within(words))
}

// The way along edges of any kind from the first to the second, closed to a circle.
fn circle(reader: &dyn Reader, first: &str, second: &str) -> Result<Option<Vec<String>>, StoreError> {
    let mut ways = std::collections::VecDeque::from([vec![first.to_owned()]]);
    let mut seen = std::collections::HashSet::from([first.to_owned()]);
    while let Some(way) = ways.pop_front() {
        let Some(last) = way.last() else { continue };
        for stored in load::edges_from(reader, std::slice::from_ref(last))? {
            let next = stored.edge.depends_on_id;
            if next == second {
                // bd names the last one twice.
                let whole = [way, vec![next.clone(), next]].concat();
                return Ok(Some(whole));
            }
            if seen.insert(next.clone()) {
                ways.push_back([way.clone(), vec![next]].concat());
            }
        }
    }
    Ok(None)
}
