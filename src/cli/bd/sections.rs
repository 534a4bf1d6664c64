//! What issues of a type should say, and what the reason of a close should: for `lint`, and for `create` and `close` where the
//! settings ask for it (bd 1.1.0 `internal/validation/template.go`).
//!
//! What could go wrong is that one command asks for other sections than the next, so they stand here once.

use beads::{Issue, IssueType};

use super::answer::{Answer, Refusal};
use super::context::Bd;
use crate::cli::out::{self, YELLOW, styled};

/// A heading that should be there, and what belongs below it.
pub(super) type Section = (&'static str, &'static str);

// What issues of a type should have (bd `IssueType.RequiredSections`).
fn sections(issue_type: &IssueType) -> &'static [Section] {
    match issue_type {
        IssueType::Bug => &[
            ("## Steps to Reproduce", "Describe how to reproduce the bug"),
            ("## Acceptance Criteria", "Define criteria to verify the fix"),
        ],
        IssueType::Task | IssueType::Feature | IssueType::Story => {
            &[("## Acceptance Criteria", "Define criteria to verify completion")]
        }
        IssueType::Epic => &[("## Success Criteria", "Define high-level success criteria")],
        IssueType::Decision => &[
            ("## Decision", "Summarize what was decided"),
            ("## Rationale", "Explain why this option was chosen"),
            ("## Alternatives Considered", "List alternatives and why they were rejected"),
        ],
        IssueType::Spike => &[
            ("## Goal", "What question does this spike answer?"),
            ("## Findings", "What was learned? (fill in when complete)"),
        ],
        _ => &[],
    }
}

/// What an issue lacks. Its own field for the criteria will do without a heading.
pub(super) fn missing(issue: &Issue) -> Vec<Section> {
    let text = format!("{}\n{}", issue.description, issue.acceptance_criteria).to_lowercase();
    let has_criteria = !issue.acceptance_criteria.is_empty();
    let is_missing = |(heading, _): &&Section| {
        let words = heading.trim_start_matches("## ").to_lowercase();
        let is_criteria = matches!(words.as_str(), "acceptance criteria" | "success criteria");
        !(text.contains(&words) || (is_criteria && has_criteria))
    };
    sections(&issue.issue_type).iter().filter(is_missing).copied().collect()
}

/// How much a setting asks for.
fn asked(bd: &Bd, key: &str) -> Asked {
    match bd.workspace.config().text(key).as_str() {
        "error" => Asked::Refuse,
        "warn" => Asked::Warn,
        _ => Asked::Nothing,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Warn,
    Refuse,
}

/// That a new issue has its sections, if `validation.on-create` or the caller asks for it.
pub(super) fn check_new(bd: &Bd, issue: &Issue, is_wanted: bool) -> Answer {
    let asked = if is_wanted { Asked::Refuse } else { asked(bd, "validation.on-create") };
    if asked == Asked::Nothing {
        return Ok(());
    }
    let missing = missing(issue);
    if missing.is_empty() {
        return Ok(());
    }
    let mut words = format!("missing required sections for {}:", issue.issue_type);
    for (heading, hint) in missing {
        words = format!("{words}\n  - {heading} ({hint})");
    }
    if asked == Asked::Refuse {
        return Err(Refusal::plain(words));
    }
    out::note(format!("{} {words}", styled(YELLOW, "⚠")));
    Ok(())
}

/// That reasons of a close say something, if `validation.on-close` asks for it.
pub(super) fn check_reasons(bd: &Bd, reasons: &[String]) -> Answer {
    const ENOUGH: usize = 20;
    let asked = asked(bd, "validation.on-close");
    if asked == Asked::Nothing {
        return Ok(());
    }
    for reason in reasons {
        let reason = reason.trim();
        let words = if reason.is_empty() || reason.eq_ignore_ascii_case("closed") {
            "close reason is empty or default; provide a summary of what was done".to_owned()
        } else if reason.len() < ENOUGH {
            format!(
                "close reason is terse ({} chars); aim for 20+ characters describing what was done",
                reason.len()
            )
        } else {
            continue;
        };
        if asked == Asked::Refuse {
            return Err(Refusal::new(words));
        }
        out::note(format!("{} {words}", styled(YELLOW, "⚠")));
    }
    Ok(())
}
