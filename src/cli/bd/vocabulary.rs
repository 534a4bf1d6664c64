//! `bd statuses` and `bd types`: the words that issues may have.

use beads::issue::Category;
use beads::{IssueType, Status};
use clap::Args;

use super::answer::{Answer, print_object};
use super::context::Bd;
use super::fields::Fields;
use super::lines::Page;
use super::text::icon;
use crate::store::load::Rules;

/// Show the states that issues may have
#[derive(Debug, Args)]
pub(super) struct Statuses {}

fn about(status: &Status) -> &'static str {
    match status {
        Status::Open => "Available to work (default)",
        Status::InProgress => "Actively being worked on",
        Status::Blocked => "Blocked by a dependency",
        Status::Deferred => "Deliberately put on ice for later",
        Status::Closed => "Completed",
        Status::Pinned => "Persistent, stays open indefinitely",
        Status::Hooked => "Attached to an agent's hook",
        Status::Other(_) => "",
    }
}

impl Statuses {
    pub(super) fn run(bd: &Bd) -> Answer {
        let rules = Rules::load(&*bd.reader()?)?;
        // The order of bd's list.
        let built_in = Status::BUILT_IN;
        if bd.json() {
            let built_in: Vec<_> = built_in
                .iter()
                .map(|status| {
                    let category = status.category().as_str();
                    Fields::default()
                        .with("name", status.as_str())
                        .with("category", category)
                        .with("icon", icon(status))
                        .with("description", about(status))
                })
                .collect();
            let custom = rules.statuses.iter();
            let custom: Vec<_> = custom
                .map(|s| Fields::default().with("name", &s.name).with("category", s.category.as_str()))
                .collect();
            let custom = Some(custom).filter(|list| !list.is_empty());
            let told = Fields::default().with("built_in_statuses", built_in);
            return print_object(&told.maybe("custom_statuses", custom));
        }
        let mut page = Page::default();
        page.line("Built-in statuses:");
        for status in &built_in {
            let (sign, category) = (icon(status), status.category().as_str());
            page.line(format_args!("  {sign} {:<14} [{category:<6}]  {}", status.as_str(), about(status)));
        }
        if rules.statuses.is_empty() {
            page.line("\nNo custom statuses configured.");
            page.line("Configure with: bd config set status.custom \"name:category,...\"");
            page.line("Categories: active, wip, done, frozen");
        } else {
            page.line("\nCustom statuses:");
        }
        for custom in &rules.statuses {
            let sign = match custom.category {
                Category::Active => icon(&Status::Open),
                Category::Wip => icon(&Status::InProgress),
                Category::Done => icon(&Status::Closed),
                Category::Frozen => icon(&Status::Deferred),
                Category::Unspecified => "◇",
            };
            page.line(format_args!("  {sign} {:<14} [{:<6}]", custom.name, custom.category.as_str()));
        }
        page.print()
    }
}

/// Show the types that issues may have
#[derive(Debug, Args)]
pub(super) struct Types {}

const CORE: [(IssueType, &str); 9] = [
    (IssueType::Task, "General work item (default)"),
    (IssueType::Bug, "Bug report or defect"),
    (IssueType::Feature, "New feature or enhancement"),
    (IssueType::Chore, "Maintenance or housekeeping"),
    (IssueType::Epic, "Large body of work spanning multiple issues"),
    (IssueType::Decision, "Architecture decision record (ADR)"),
    (IssueType::Spike, "Timeboxed investigation to reduce uncertainty before committing to a story"),
    (IssueType::Story, "User story describing a feature from the user's perspective"),
    (IssueType::Milestone, "Marks completion of a set of related issues (contains no work itself)"),
];

impl Types {
    pub(super) fn run(bd: &Bd) -> Answer {
        let custom = Rules::load(&*bd.reader()?)?.allowed.types;
        if bd.json() {
            let core: Vec<_> = CORE
                .iter()
                .map(|(name, about)| Fields::default().with("name", name.as_str()).with("description", about))
                .collect();
            let custom = Some(custom).filter(|list| !list.is_empty());
            return print_object(&Fields::default().with("core_types", core).maybe("custom_types", custom));
        }
        let mut page = Page::default();
        page.line("Core work types (built-in):");
        for (name, about) in CORE {
            page.line(format_args!("  {:<14} {about}", name.as_str()));
        }
        if custom.is_empty() {
            page.line("\nNo custom types configured.");
            page.line("Configure with: bd config set types.custom \"type1,type2,...\"");
        } else {
            page.line("\nConfigured custom types:");
        }
        for name in custom {
            page.line(format_args!("  {name}"));
        }
        page.print()
    }
}
