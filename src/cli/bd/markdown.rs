//! `bd create --file`: the issues of a Markdown file, all of them or none (bd 1.1.0 `cmd/bd/markdown.go`).
//!
//! A heading `## …` begins an issue, a heading `### …` a field of it; what stands before the first field is the description. What
//! could go wrong is that something of the file is lost without a word, but bd passes over what stands before the first issue
//! and over fields that it does not know, and so does this.

use std::path::{Component, Path};

use beads::edge::DepSpec;
use beads::{Edge, EdgeType, Issue, IssueType, Status};

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::text::in_go;
use crate::cli::out;
use crate::store::load::{self, Rules};
use crate::store::ops::{self, NewIssue};
use crate::store::{Outcome, step};

/// Makes the issues of a file.
pub(super) fn create(bd: &Bd, file: &str) -> Answer {
    let text = read(file).map_err(|words| Refusal::plain(format!("parsing markdown file: {words}")))?;
    let mut new = Vec::new();
    for section in sections(&text) {
        new.push(section.into_new()?);
    }
    if new.is_empty() {
        return Err(Refusal::plain(
            "parsing markdown file: no issues found in markdown file (expected ## Issue Title format)",
        ));
    }
    let act = bd.act();
    let made = bd.write("create", |tx| {
        let rules = Rules::load(tx.reader())?;
        let mut made = Vec::new();
        for new in &new {
            let targets: Vec<String> = new.deps.iter().map(|dep| dep.target.clone()).collect();
            let known = load::briefs(tx.reader(), Some(&targets))?;
            let (deps, lost): (Vec<DepSpec>, Vec<DepSpec>) =
                new.deps.iter().cloned().partition(|dep| known.contains_key(&dep.target));
            let wanted = NewIssue { deps, ..new.clone() };
            // Each sees those before it, so that no two get one id.
            let mut created = step(tx, &act, |work| ops::create(work, &rules, wanted.clone()))?;
            // bd leaves them out too, without a word.
            let id = &created.issue.id;
            let words = lost
                .iter()
                .map(|dep| format!("failed to add dependency {id} -> {0}: issue {0} not found", dep.target));
            created.warnings.extend(words.collect::<Vec<_>>());
            made.push(created);
        }
        let message = || format!("bd: create {} issue(s) from {file}", made.len());
        Ok(Outcome { message: bd.message(message, message), result: made })
    });
    let made = made.map_err(|refusal| refusal.within("creating issues from markdown").into_plain())?;
    for warning in made.iter().flat_map(|created| &created.warnings) {
        out::note(format!("Warning: {warning}"));
    }
    if bd.json() {
        let with_edges = |(created, new): (&ops::Created, &NewIssue)| {
            let mut issue = created.issue.clone();
            let edge = |dep: &DepSpec| Edge::new(&issue.id, &dep.target, dep.kind.clone());
            issue.dependencies = new.deps.iter().map(edge).collect();
            issue
        };
        return print_list(made.iter().zip(&new).map(with_edges));
    }
    out::line(format!("✓ Created {} issues from {file}:", made.len()));
    for ops::Created { issue, .. } in &made {
        out::line(format!("  {}: {} [P{}, {}]", issue.id, issue.title, issue.priority, issue.issue_type));
    }
    Ok(())
}

fn read(file: &str) -> Result<String, String> {
    let path = Path::new(file);
    if path.components().any(|part| part == Component::ParentDir) {
        return Err("invalid file path: directory traversal not allowed".to_owned());
    }
    let is_markdown = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("md") || end.eq_ignore_ascii_case("markdown"));
    if !is_markdown {
        return Err("invalid file type: only .md and .markdown files are supported".to_owned());
    }
    let about = path.metadata();
    let about = about.map_err(|error| format!("cannot access file: stat {file}: {}", in_go(&error)))?;
    if about.is_dir() {
        return Err("path is a directory, not a file".to_owned());
    }
    let read = std::fs::read_to_string(path);
    read.map_err(|error| format!("failed to open file: open {file}: {}", in_go(&error)))
}

/// An issue as the file has it.
#[derive(Default)]
struct Section<'t> {
    title: &'t str,
    // What stands before the first field, without its empty lines.
    lead: Vec<&'t str>,
    fields: Vec<(&'t str, Vec<&'t str>)>,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut found: Vec<Section<'_>> = Vec::new();
    for line in text.lines() {
        if let Some(title) = heading(line, "##") {
            found.push(Section { title, ..Section::default() });
            continue;
        }
        let Some(section) = found.last_mut() else { continue };
        if let Some(name) = heading(line, "###") {
            section.fields.push((name, Vec::new()));
        } else if let Some((_, lines)) = section.fields.last_mut() {
            lines.push(line);
        } else if !line.is_empty() {
            section.lead.push(line);
        }
    }
    found
}

// What stands behind the signs and a blank.
fn heading<'t>(line: &'t str, signs: &str) -> Option<&'t str> {
    let rest = line.strip_prefix(signs)?;
    let is_one = rest.starts_with(|c: char| c.is_ascii_whitespace()) && rest.chars().count() > 1;
    is_one.then(|| rest.trim())
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl Section<'_> {
    fn into_new(self) -> Answer<NewIssue> {
        let mut issue = Issue {
            title: self.title.to_owned(),
            description: self.lead.join("\n"),
            status: Status::Open,
            priority: 2,
            issue_type: IssueType::Task,
            ..Issue::default()
        };
        let mut deps = Vec::new();
        for (name, lines) in self.fields {
            let text = lines.join("\n");
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            match name.to_lowercase().as_str() {
                "priority" => issue.priority = priority(text).unwrap_or(issue.priority),
                "type" => issue.issue_type = issue_type(text, self.title),
                "description" => text.clone_into(&mut issue.description),
                "design" => text.clone_into(&mut issue.design),
                "acceptance criteria" | "acceptance" => text.clone_into(&mut issue.acceptance_criteria),
                "assignee" => text.clone_into(&mut issue.assignee),
                "labels" => issue.labels = words(text),
                "dependencies" | "deps" => deps = words(text),
                _ => {}
            }
        }
        let mut edges = Vec::new();
        for spec in deps {
            let (kind, target) = spec.split_once(':').unwrap_or(("blocks", &spec));
            let kind = EdgeType::from(kind.trim());
            if !kind.is_valid() {
                let words = format!("invalid dependency type '{kind}' for issue '{}'", self.title);
                return Err(Refusal::plain(words));
            }
            edges.push(DepSpec { kind, target: target.trim().to_owned(), reversed: false });
        }
        Ok(NewIssue { issue, deps: edges, ..NewIssue::default() })
    }
}

// `P1` or `1`, whatever stands behind it.
fn priority(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches(['P', 'p']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok().filter(|number| (0..=4).contains(number))
}

fn issue_type(text: &str, title: &str) -> IssueType {
    let issue_type = IssueType::from(text).normalized();
    if issue_type.is_core() {
        return issue_type;
    }
    out::note(format!("Warning: invalid issue type '{text}' in '{title}', using default 'task'"));
    IssueType::Task
}
