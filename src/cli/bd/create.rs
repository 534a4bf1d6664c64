//! `bd create`.

use beads::edge::parse_dep_spec;
use beads::issue::{Metadata, is_mol_type, is_test_title, is_wisp_type, parse_priority};
use beads::{Issue, IssueType, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::flags::{Texts, json_or_file, moment, split};
use super::later::not_here;
use super::markdown;
use super::sections;
use super::text::{id_and_title, in_the_past};
use crate::cli::out::{self, YELLOW, styled};
use crate::store::family::Family;
use crate::store::load::Rules;
use crate::store::ops::{self, NewIssue};
use crate::store::reader::By;
use crate::store::{Outcome, step};

/// Make a new issue
#[derive(Debug, Args)]
#[command(
    after_help = "Example: bd create \"Fix the login\" -p 1 -t bug -l auth --deps discovered-from:bd-a1b"
)]
pub(super) struct Create {
    /// One line, at most 500 bytes
    title: Vec<String>,
    /// The same as a flag, for titles that begin with a hyphen
    #[arg(long = "title", value_name = "TITLE")]
    title_flag: Option<String>,
    /// Print the id alone
    #[arg(long)]
    silent: bool,
    /// Show what would be made
    #[arg(long)]
    dry_run: bool,
    /// 0 (most urgent) to 4
    #[arg(short, long, default_value = "2")]
    priority: String,
    /// bug, feature, task, epic, chore, decision, or one of types.custom
    #[arg(short = 't', long = "type", default_value = "task")]
    issue_type: String,
    #[command(flatten)]
    texts: Texts,
    /// Where it is specified
    #[arg(long)]
    spec_id: Option<String>,
    /// Labels, with commas or repeated
    #[arg(short, long)]
    labels: Vec<String>,
    #[arg(long, hide = true)]
    label: Vec<String>,
    /// A section of required skills for the description
    #[arg(long)]
    skills: Option<String>,
    /// A section of context for the description
    #[arg(long)]
    context: Option<String>,
    /// Its id, instead of a new one
    #[arg(long)]
    id: Option<String>,
    /// Goes below this issue
    #[arg(long)]
    parent: Option<String>,
    /// Without the parent's labels
    #[arg(long)]
    no_inherit_labels: bool,
    /// Edges, as `kind:id` or `id`
    #[arg(long)]
    deps: Vec<String>,
    /// Waits for the children of this issue
    #[arg(long)]
    waits_for: Option<String>,
    /// all-children or any-children
    #[arg(long, default_value = "all-children")]
    waits_for_gate: String,
    /// Take an id with a foreign prefix
    #[arg(long)]
    force: bool,
    /// In minutes
    #[arg(short, long)]
    estimate: Option<i64>,
    /// A wisp: local and short-lived
    #[arg(long)]
    ephemeral: bool,
    /// Local, but lasting
    #[arg(long)]
    no_history: bool,
    /// swarm, patrol or work
    #[arg(long)]
    mol_type: Option<String>,
    /// heartbeat, ping, patrol, `gc_report`, recovery, error or escalation
    #[arg(long)]
    wisp_type: Option<String>,
    /// For events: what happened
    #[arg(long)]
    event_category: Option<String>,
    /// Where it goes: another repository with a workspace, by its path (default: here, or where `routing.*` sends it)
    #[arg(long, value_name = "DIR")]
    pub(super) repo: Option<String>,
    /// For events: who caused it
    #[arg(long)]
    event_actor: Option<String>,
    /// For events: whom it concerns
    #[arg(long)]
    event_target: Option<String>,
    /// For events: what it carries
    #[arg(long)]
    event_payload: Option<String>,
    /// Deadline: +6h, tomorrow, next monday, 2025-01-15
    #[arg(long)]
    due: Option<String>,
    /// Not ready before: +6h, tomorrow, next monday, 2025-01-15
    #[arg(long)]
    defer: Option<String>,
    /// A JSON document, or @file
    #[arg(long)]
    metadata: Option<String>,
    /// Prefix of the new id, instead of the database's
    #[arg(long)]
    prefix: Option<String>,
    /// Refuse an issue that lacks a section that its type should have
    #[arg(long)]
    validate: bool,
    /// Make the issues of a Markdown file, one for each heading `## …`
    #[arg(short, long, value_name = "FILE")]
    file: Option<String>,
    #[arg(long, hide = true)]
    graph: Option<String>,
}

impl Create {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        if let Some(done) = self.many(bd) {
            return done;
        }
        let issue = self.issue(bd)?;
        sections::check_new(bd, &issue, self.validate)?;
        let new = self.new_issue(issue)?;
        if self.dry_run {
            return self.preview(bd, &new);
        }
        let act = bd.act();
        let created = bd.write("create", |tx| {
            let rules = Rules::load(tx.reader())?;
            let created = step(tx, &act, |work| ops::create(work, &rules, new.clone()))?;
            let message = || format!("bd: create {}", created.issue.id);
            Ok(Outcome { message: bd.message(message, message), result: created })
        })?;
        for warning in &created.warnings {
            out::note(format!("Warning: {warning}"));
        }
        let issue = created.issue;
        bd.touch(&issue.id);
        if bd.json() {
            return print_object(&issue);
        }
        if self.silent {
            out::line(&issue.id);
            return Ok(());
        }
        out::line(format!("✓ Created issue: {}", id_and_title(&issue.id, &issue.title)));
        out::line(format!("  Priority: P{}", issue.priority));
        out::line(format!("  Status: {}", issue.status));
        Ok(())
    }

    // Files with several issues; `None`: it is one.
    fn many(&self, bd: &Bd) -> Option<Answer> {
        let given = |flag: &Option<String>| flag.clone().filter(|file| !file.is_empty());
        let refused = |words: &str| Some(Err(Refusal::plain(words)));
        match (given(&self.file), given(&self.graph)) {
            (None, None) => None,
            (Some(_), Some(_)) => refused("cannot specify both --file and --graph"),
            (Some(_), None) if !self.title.is_empty() => refused("cannot specify both title and --file flag"),
            (Some(_), None) if self.dry_run => refused("--dry-run is not supported with --file flag"),
            (Some(file), None) => Some(markdown::create(bd, &file)),
            (None, Some(_)) if !self.title.is_empty() => {
                refused("cannot specify both title and --graph flag")
            }
            (None, Some(_)) => Some(Err(not_here("bd create --graph"))),
        }
    }

    fn title(&self) -> Answer<String> {
        match (self.title.first(), &self.title_flag) {
            (Some(title), Some(flag)) if title != flag => Err(Refusal::plain(format!(
                "cannot specify different titles as both positional argument and --title flag\n  Positional: {title:?}\n  --title:    {flag:?}"
            ))),
            (Some(title), _) if title.starts_with('-') => Err(Refusal::plain(format!(
                "title {title:?} looks like a flag (starts with '-').\n  Run 'bd create --help' for available options.\n  To use this title anyway, pass it explicitly: bd create --title={title:?}"
            ))),
            (Some(title), _) => Ok(title.clone()),
            (None, Some(title)) if !title.is_empty() => Ok(title.clone()),
            (None, _) => Err(Refusal::plain("title required (or use --file to create from markdown)")),
        }
    }

    fn issue(&self, bd: &Bd) -> Answer<Issue> {
        let title = self.title()?;
        let mut description = self.texts.description()?.unwrap_or_default();
        for (heading, text) in [("## Required Skills", &self.skills), ("## Context", &self.context)] {
            if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                let gap = if description.is_empty() { "" } else { "\n\n" };
                description = format!("{description}{gap}{heading}\n{text}");
            }
        }
        let is_test = is_test_title(&title);
        if is_test && !self.silent && !bd.global.quiet && is_in_use(bd)? {
            out::note(format!("{} Creating test issue in production database", styled(YELLOW, "⚠")));
            out::note(format!("  Title: {title:?} appears to be test data"));
            out::note("  Recommendation: Use isolated test database with --db");
            out::note(format!("    bd --db /tmp/test-beads create {title:?}"));
        }
        if description.is_empty() && !is_test && bd.workspace.config().bool("create.require-description") {
            return Err(Refusal::plain(
                "description is required (set create.require-description: false in config.yaml to disable)",
            ));
        }
        if self.ephemeral && self.no_history {
            return Err(Refusal::plain("--ephemeral and --no-history are mutually exclusive"));
        }
        let mol_type = self.mol_type.clone().unwrap_or_default();
        if !mol_type.is_empty() && !is_mol_type(&mol_type) {
            let text = format!("invalid mol-type {mol_type:?} (must be swarm, patrol, or work)");
            return Err(Refusal::plain(text));
        }
        let wisp_type = self.wisp_type.clone().unwrap_or_default();
        if !wisp_type.is_empty() && !is_wisp_type(&wisp_type) {
            let text = format!(
                "invalid wisp-type {wisp_type:?} (must be heartbeat, ping, patrol, gc_report, recovery, error, or escalation)"
            );
            return Err(Refusal::plain(text));
        }
        let event = [&self.event_category, &self.event_actor, &self.event_target, &self.event_payload];
        if event.iter().any(|flag| flag.as_deref().is_some_and(|f| !f.is_empty()))
            && self.issue_type != "event"
        {
            return Err(Refusal::plain(
                "--event-category, --event-actor, --event-target, and --event-payload flags require --type=event",
            ));
        }
        let due_at = time("due", self.due.as_deref(), "+6h", bd)?;
        let defer_until = time("defer", self.defer.as_deref(), "+1h", bd)?;
        if let Some(until) = defer_until.filter(|until| *until < bd.now && !self.silent && !bd.global.quiet) {
            out::note(in_the_past(until, bd.zoned(), "defer"));
        }
        if self.estimate.is_some_and(|minutes| minutes < 0) {
            return Err(Refusal::plain("estimate must be a non-negative number of minutes"));
        }
        let metadata = match &self.metadata {
            Some(text) => {
                Some(Metadata::new(json_or_file(text)?).map_err(|e| Refusal::plain(e.to_string()))?)
            }
            None => None,
        };
        let is_later = defer_until.is_some_and(|until| until > bd.now);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut labels = split(&self.labels);
        labels.extend(split(&self.label));
        Ok(Issue {
            id: text(&self.id),
            title,
            description,
            design: self.texts.design()?.unwrap_or_default(),
            acceptance_criteria: text(&self.texts.acceptance),
            notes: text(&self.texts.notes),
            spec_id: text(&self.spec_id),
            status: if is_later { Status::Deferred } else { Status::Open },
            priority: parse_priority(&self.priority).map_err(|e| Refusal::plain(e.to_string()))?,
            issue_type: IssueType::from(self.issue_type.as_str()).normalized(),
            assignee: text(&self.texts.assignee),
            owner: bd.owner.clone(),
            created_by: bd.actor.clone(),
            external_ref: self.texts.external_ref.clone().filter(|text| !text.is_empty()),
            estimated_minutes: self.estimate,
            ephemeral: self.ephemeral,
            no_history: self.no_history,
            labels,
            mol_type,
            wisp_type,
            event_kind: text(&self.event_category),
            actor: text(&self.event_actor),
            target: text(&self.event_target),
            payload: text(&self.event_payload),
            due_at,
            defer_until,
            metadata,
            ..Issue::default()
        })
    }

    fn new_issue(&self, issue: Issue) -> Answer<NewIssue> {
        if self.id.is_some() && self.parent.is_some() {
            return Err(Refusal::plain("cannot specify both --id and --parent flags"));
        }
        let mut deps = Vec::new();
        for spec in split(&self.deps).iter().filter(|spec| !spec.trim().is_empty()) {
            deps.push(parse_dep_spec(spec).map_err(|error| Refusal::new(error.to_string()))?);
        }
        let waits_for = self.waits_for.clone().filter(|id| !id.is_empty());
        if waits_for.is_some() {
            beads::edge::waits_for_metadata(&self.waits_for_gate)
                .map_err(|e| Refusal::plain(e.to_string()))?;
        }
        Ok(NewIssue {
            issue,
            force: self.force,
            parent: self.parent.clone().filter(|id| !id.is_empty()),
            no_inherited_labels: self.no_inherit_labels,
            prefix: self.prefix.as_deref().unwrap_or_default().trim_end_matches('-').to_owned(),
            deps,
            waits_for: waits_for.map(|id| (id, self.waits_for_gate.clone())),
            ..NewIssue::default()
        })
    }

    fn preview(&self, bd: &Bd, new: &NewIssue) -> Answer {
        let issue = &new.issue;
        if bd.json() {
            return print_object(issue);
        }
        let id = if issue.id.is_empty() { "(will be generated)" } else { &issue.id };
        let mut text = format!(
            "⚠ [DRY RUN] Would create issue:\n  ID: {id}\n  Title: {}\n  Type: {}\n  Priority: P{}\n  Status: {}\n",
            issue.title, issue.issue_type, issue.priority, issue.status
        );
        let lines = [
            ("Assignee", issue.assignee.clone()),
            ("Description", issue.description.clone()),
            ("Labels", issue.labels.join(", ")),
            ("Dependencies", split(&self.deps).join(", ")),
            ("Event category", issue.event_kind.clone()),
        ];
        for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
            text = format!("{text}  {name}: {value}\n");
        }
        out::raw(&text);
        Ok(())
    }
}

// Whether somebody keeps issues here: a first try in a new database is none of its business.
fn is_in_use(bd: &Bd) -> Answer<bool> {
    const MANY: usize = 5;
    Ok(bd.reader()?.texts(Family::Issues.rows(), "id", By::All)?.len() >= MANY)
}

fn time(flag: &str, text: Option<&str>, example: &str, bd: &Bd) -> Answer<Option<jiff::Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    moment(text, bd.zoned()).map(Some).ok_or_else(|| {
        Refusal::plain(format!(
            "invalid --{flag} format {text:?}. Examples: {example}, tomorrow, next monday, 2025-01-15"
        ))
    })
}
