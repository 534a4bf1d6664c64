//! What `show` prints for people (bd 1.1.0 `cmd/bd/show.go`, `show_format.go`), section by section. Texts are printed as they were
//! written; bd formats them as Markdown, pads them and breaks their lines. The line with `Status:` and the number of
//! dependencies are ours: older scripts look for them.

use beads::{EdgeType, Issue, IssueType, Status};
use jiff::{Timestamp, Zoned};

use super::lines::{Page, pretty};
use super::show::Shown;
use super::text::icon;

/// An issue with everything on it.
pub(super) fn show(page: &mut Page, shown: &Shown, is_later: bool, long: bool, zone: Option<&Zoned>) {
    let issue = &shown.issue;
    if is_later {
        page.line(format_args!("\n{}\n", "─".repeat(60)));
    }
    page.line(header(issue));
    metadata_lines(page, issue);
    if issue.compaction_level > 0 {
        page.line("");
        let texts = [&issue.description, &issue.design, &issue.notes, &issue.acceptance_criteria];
        let now: usize = texts.iter().map(|text| text.len()).sum();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        if issue.original_size > now {
            let percent = (issue.original_size - now) * 100 / issue.original_size;
            page.line(format_args!("📊 {} → {now} bytes ({percent}% reduction)", issue.original_size));
        }
    }
    if issue.description.is_empty() {
        page.line("\nDESCRIPTION\n  (none)");
    }
    for (title, text) in [
        ("DESCRIPTION", &issue.description),
        ("DESIGN", &issue.design),
        ("NOTES", &issue.notes),
        ("ACCEPTANCE CRITERIA", &issue.acceptance_criteria),
    ] {
        if !text.is_empty() {
            page.line(format_args!("\n{title}"));
            indented(page, text, "  ");
        }
    }
    if !issue.labels.is_empty() {
        page.line(format_args!("\nLABELS: {}", issue.labels.join(", ")));
    }
    own_metadata(page, issue);
    edges(page, shown);
    if !issue.comments.is_empty() {
        page.line("\nCOMMENTS");
        for comment in &issue.comments {
            page.line(format_args!("  {} {}", minute(comment.created_at, zone), comment.author));
            indented(page, &comment.text, "      ");
        }
    }
    if long {
        extras(page, issue, zone);
    }
    page.line("");
}

/// An issue as it was at a revision.
pub(super) fn as_of(page: &mut Page, issue: &Issue, is_later: bool, revision: &str) {
    if is_later {
        page.line(format_args!("\n{}", "-".repeat(60)));
    }
    page.line(format_args!("\n{} (as of {revision})", header(issue)));
    metadata_lines(page, issue);
    if !issue.description.is_empty() {
        page.line("\nDESCRIPTION");
        indented(page, &issue.description, "  ");
    }
    page.line("");
}

/// A text with every line indented.
pub(super) fn indented(page: &mut Page, text: &str, by: &str) {
    for line in text.trim_end().split('\n') {
        let line = format!("{by}{line}");
        page.line(line.trim_end());
    }
}

/// `2026-01-02 15:04`, in UTC or where the user is.
pub(super) fn minute(time: Option<Timestamp>, zone: Option<&Zoned>) -> String {
    let tz = zone.map_or(jiff::tz::TimeZone::UTC, |zone| zone.time_zone().clone());
    time.map(|time| time.to_zoned(tz).strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

fn day(time: Option<Timestamp>) -> String {
    let zero = || "0001-01-01".to_owned();
    time.map_or_else(zero, |time| time.strftime("%Y-%m-%d").to_string())
}

fn header(issue: &Issue) -> String {
    let badge = match issue.issue_type {
        IssueType::Epic => " [EPIC]",
        IssueType::Bug => " [BUG]",
        _ => "",
    };
    let tier = match issue.compaction_level {
        1 => " 🗜️",
        2 => " 📦",
        _ => "",
    };
    format!(
        "{} {}{badge} · {}{tier}   [● P{} · {}]",
        icon(&issue.status),
        issue.id,
        issue.title,
        issue.priority,
        issue.status.as_str().to_uppercase()
    )
}

fn metadata_lines(page: &mut Page, issue: &Issue) {
    page.line(format_args!("Status: {} · Priority: P{}", issue.status, issue.priority));
    let mut parts = Vec::new();
    if !issue.created_by.is_empty() {
        parts.push(format!("Owner: {}", issue.created_by));
    }
    if !issue.assignee.is_empty() {
        parts.push(format!("Assignee: {}", issue.assignee));
    }
    parts.push(format!("Type: {}", issue.issue_type));
    page.line(parts.join(" · "));
    let mut parts = vec![format!("Created: {}", day(issue.created_at))];
    if issue.started_at.is_some() {
        parts.push(format!("Started: {}", day(issue.started_at)));
    }
    parts.push(format!("Updated: {}", day(issue.updated_at)));
    if issue.due_at.is_some() {
        parts.push(format!("Due: {}", day(issue.due_at)));
    }
    if issue.defer_until.is_some() {
        parts.push(format!("Deferred: {}", day(issue.defer_until)));
    }
    page.line(parts.join(" · "));
    if issue.status == Status::Closed && !issue.close_reason.is_empty() {
        page.line(format_args!("Close reason: {}", issue.close_reason));
    }
    if let Some(reference) = issue.external_ref.as_ref().filter(|text| !text.is_empty()) {
        page.line(format_args!("External: {reference}"));
    }
    if !issue.spec_id.is_empty() {
        page.line(format_args!("Spec: {}", issue.spec_id));
    }
    if issue.ephemeral && !issue.wisp_type.is_empty() {
        page.line(format_args!("Wisp type: {}", issue.wisp_type));
    }
}

fn own_metadata(page: &mut Page, issue: &Issue) {
    let Some(metadata) = issue.metadata.as_ref().map(|m| m.as_str().trim()) else { return };
    if matches!(metadata, "{}" | "null") {
        return;
    }
    let parsed: Result<std::collections::BTreeMap<String, serde_json::Value>, _> =
        serde_json::from_str(metadata);
    let Ok(fields) = parsed else {
        page.line(format_args!("\nMETADATA\n  {metadata}"));
        return;
    };
    if fields.is_empty() {
        return;
    }
    page.line("\nMETADATA");
    for (key, value) in fields {
        let text = match &value {
            serde_json::Value::String(text) => text.clone(),
            other => beads::go_json::line(other).map(|line| line.trim_end().to_owned()).unwrap_or_default(),
        };
        page.line(format_args!("  {key}: {text}"));
    }
}

type Ends<'a> = Vec<&'a (Issue, EdgeType)>;

fn edges(page: &mut Page, shown: &Shown) {
    let is_related = |kind: &EdgeType| matches!(kind, EdgeType::Related | EdgeType::RelatesTo);
    let of = |ends: &'_ [(Issue, EdgeType)], wanted: &dyn Fn(&EdgeType) -> bool| -> Vec<(Issue, EdgeType)> {
        ends.iter().filter(|(_, kind)| wanted(kind)).cloned().collect()
    };
    let is_parent = |kind: &EdgeType| *kind == EdgeType::ParentChild;
    let is_discovered = |kind: &EdgeType| *kind == EdgeType::DiscoveredFrom;
    let is_other = |kind: &EdgeType| !is_parent(kind) && !is_discovered(kind) && !is_related(kind);
    let section = |page: &mut Page, title: &str, sign: &str, ends: &[(Issue, EdgeType)]| {
        if !ends.is_empty() {
            page.line(format_args!("\n{title}"));
        }
        for (issue, _) in ends {
            page.line(end_line(sign, issue));
        }
    };
    let count = shown.issue.dependencies.len();
    if count > 0 {
        page.line(format_args!("\nDependencies ({count})"));
    }
    section(page, "PARENT", "↑", &of(&shown.targets, &is_parent));
    section(page, "DEPENDS ON", "→", &of(&shown.targets, &is_other));
    section(page, "DISCOVERED FROM", "◊", &of(&shown.targets, &is_discovered));
    let children = of(&shown.sources, &is_parent);
    section(page, "CHILDREN", "↳", &children);
    if shown.issue.issue_type == IssueType::Epic && !children.is_empty() {
        let closed = children.iter().filter(|(child, _)| child.status == Status::Closed).count();
        let (all, percent) = (children.len(), closed * 100 / children.len());
        if closed == all {
            page.line(format_args!("  ✓ {closed}/{all} complete ({percent}%) — eligible for close"));
        } else {
            page.line(format_args!("  ◐ {closed}/{all} complete ({percent}%)"));
        }
    }
    section(page, "BLOCKS", "←", &of(&shown.sources, &is_other));
    section(page, "DISCOVERED", "◊", &of(&shown.sources, &is_discovered));
    let both = shown.targets.iter().chain(&shown.sources);
    let mut related: Ends<'_> = Vec::new();
    for end in both.filter(|(_, kind)| is_related(kind)) {
        if !related.iter().any(|(issue, _)| issue.id == end.0.id) {
            related.push(end);
        }
    }
    let related: Vec<(Issue, EdgeType)> = related.into_iter().cloned().collect();
    section(page, "RELATED", "↔", &related);
}

fn end_line(sign: &str, issue: &Issue) -> String {
    let kind = match issue.issue_type {
        _ if issue.status == Status::Closed => "",
        IssueType::Epic => "(EPIC) ",
        IssueType::Bug => "(BUG) ",
        _ => "",
    };
    format!("  {sign} {} {}: {kind}{} ● P{}", icon(&issue.status), issue.id, issue.title, issue.priority)
}

fn extras(page: &mut Page, issue: &Issue, zone: Option<&Zoned>) {
    let yes = |is_set: bool| if is_set { "yes".to_owned() } else { String::new() };
    let number = |n: i64, unit: &str| if n > 0 { format!("{n}{unit}") } else { String::new() };
    let sections = [
        (
            "EXTENDED DETAILS",
            vec![
                ("Closed at", minute(issue.closed_at, zone)),
                ("Closed by session", issue.closed_by_session.clone()),
                ("Estimated", issue.estimated_minutes.map(|n| format!("{n} minutes")).unwrap_or_default()),
                ("Source system", issue.source_system.clone()),
                ("Sender", issue.sender.clone()),
                ("Ephemeral", yes(issue.ephemeral)),
                ("Pinned", yes(issue.pinned)),
                ("Template", yes(issue.is_template)),
                ("Mol type", issue.mol_type.clone()),
                ("Work type", issue.work_type.clone()),
            ],
        ),
        (
            "COMPACTION",
            vec![
                ("Level", number(issue.compaction_level, "")),
                ("Compacted at", minute(issue.compacted_at, zone)),
                ("Compacted at commit", issue.compacted_at_commit.clone().unwrap_or_default()),
                ("Original size", number(issue.original_size, " bytes")),
            ],
        ),
        (
            "GATE",
            vec![
                ("Await type", issue.await_type.clone()),
                ("Await ID", issue.await_id.clone()),
                ("Timeout", if issue.timeout > 0 { go_duration(issue.timeout) } else { String::new() }),
                ("Waiters", issue.waiters.join(", ")),
            ],
        ),
        (
            "EVENT",
            vec![
                ("Kind", issue.event_kind.clone()),
                ("Actor", issue.actor.clone()),
                ("Target", issue.target.clone()),
                ("Payload", issue.payload.clone()),
            ],
        ),
    ];
    for (title, fields) in sections {
        let fields: Vec<_> = fields.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if fields.is_empty() || (title == "COMPACTION" && issue.compaction_level == 0) {
            continue;
        }
        page.line(format_args!("\n{title}"));
        for (name, text) in fields {
            page.line(format_args!("  {name}: {text}"));
        }
    }
}

/// `1h0m0s`, `1.5ms`: as Go prints a duration.
pub(super) fn go_duration(nanoseconds: i64) -> String {
    for (scale, unit) in [(1, "ns"), (1_000, "µs"), (1_000_000, "ms")] {
        let size = nanoseconds.unsigned_abs();
        if size != 0 && size < scale * 1_000 {
            let (whole, part) = (nanoseconds / scale.cast_signed(), size % scale);
            let width = scale.ilog10() as usize;
            let fraction = if width == 0 { String::new() } else { format!(".{part:0width$}") };
            return format!("{whole}{}{unit}", fraction.trim_end_matches('0').trim_end_matches('.'));
        }
    }
    let (whole, part) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    let fraction = format!("{part:09}");
    let fraction = fraction.trim_end_matches('0');
    let seconds = if fraction.is_empty() { format!("{seconds}s") } else { format!("{seconds}.{fraction}s") };
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

/// `show --children`.
pub(super) fn children(page: &mut Page, id: &str, children: &[(Issue, EdgeType)], short: bool) {
    if children.is_empty() {
        page.line(format_args!("{id}: No children found"));
        return;
    }
    page.line(format_args!("↳ Children of {id} ({}):", children.len()));
    for (child, _) in children {
        page.line(if short { format!("  {}", pretty(child)) } else { end_line("↳", child) });
    }
    page.line("");
}

// Kinds in the order of `show --refs`, with their signs.
const ORDER: [(EdgeType, &str); 15] = [
    (EdgeType::Until, "⏳"),
    (EdgeType::CausedBy, "⚡"),
    (EdgeType::Validates, "✅"),
    (EdgeType::Blocks, "🚫"),
    (EdgeType::ParentChild, "↳"),
    (EdgeType::RelatesTo, "↔"),
    (EdgeType::Tracks, "👁"),
    (EdgeType::DiscoveredFrom, "◊"),
    (EdgeType::Related, "↔"),
    (EdgeType::Supersedes, "⬆"),
    (EdgeType::Duplicates, "🔄"),
    (EdgeType::RepliesTo, "💬"),
    (EdgeType::ApprovedBy, "👍"),
    (EdgeType::AuthoredBy, "✏"),
    (EdgeType::AssignedTo, "👤"),
];

/// `show --refs`: by kind, in bd's order; kinds that it does not know by their words.
pub(super) fn refs(page: &mut Page, id: &str, refs: &[(Issue, EdgeType)]) {
    if refs.is_empty() {
        page.line(format_args!("\n{id}: No references found"));
        return;
    }
    page.line(format_args!("\n📎 References to {id}:"));
    let mut others: Vec<(&EdgeType, &str)> = Vec::new();
    for (_, kind) in refs {
        let is_known = ORDER.iter().any(|(known, _)| known == kind);
        if !is_known && !others.iter().any(|(known, _)| *known == kind) {
            others.push((kind, "→"));
        }
    }
    others.sort_by_key(|(kind, _)| kind.as_str());
    let known = ORDER.iter().map(|(kind, sign)| (kind, *sign));
    for (kind, sign) in known.chain(others) {
        let group: Vec<&Issue> = refs.iter().filter(|(_, of)| of == kind).map(|(issue, _)| issue).collect();
        if group.is_empty() {
            continue;
        }
        page.line(format_args!("\n  {sign} {} ({}):", kind.as_str(), group.len()));
        for issue in group {
            let Issue { id, title, priority, status, .. } = issue;
            page.line(format_args!("    {id}: {title} [P{priority} - {status}]"));
        }
    }
    page.line("");
}
