//! Writing: the bytes of `bd export`.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Error;

use crate::edge::{Edge, EdgeType};
use crate::go_json;
use crate::issue::Issue;

/// The numbers of issues, by id.
pub type CountsById = foldhash::HashMap<String, Counts>;

/// Numbers that every listed issue carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// `blocks` edges that begin at the issue, external ones included.
    pub dependency_count: usize,
    /// `blocks` edges that end at it.
    pub dependent_count: usize,
    /// Remarks.
    pub comment_count: usize,
}

impl Counts {
    /// Counts `blocks` edges at both of their ends; `at` is told whose number grows, and how.
    pub fn of_edges<'e>(
        edges: impl IntoIterator<Item = &'e Edge>,
        mut at: impl FnMut(&'e str, fn(&mut Self)),
    ) {
        for edge in edges.into_iter().filter(|edge| edge.kind == EdgeType::Blocks) {
            at(&edge.issue_id, |counts| counts.dependency_count += 1);
            at(&edge.depends_on_id, |counts| counts.dependent_count += 1);
        }
    }
}

/// The counts of all issues by id. The issues have their edges and comments.
pub fn counts(issues: &[Issue]) -> HashMap<&str, Counts> {
    let mut all: HashMap<&str, Counts> = HashMap::with_capacity(issues.len());
    for issue in issues {
        all.entry(&issue.id).or_default().comment_count += issue.comments.len();
    }
    let edges = issues.iter().flat_map(|issue| &issue.dependencies);
    Counts::of_edges(edges, |id, add| add(all.entry(id).or_default()));
    all
}

#[derive(Serialize)]
struct IssueLine<'i> {
    _type: &'static str,
    #[serde(flatten)]
    issue: &'i Issue,
    #[serde(flatten)]
    counts: Counts,
}

/// The line of one issue, with its line break. Missing times are the beginning of 1970 (bd `sanitizeZeroTime`).
pub fn write_issue(issue: &Issue, counts: Counts) -> Result<String, Error> {
    let write =
        |issue: &Issue| go_json::line(&IssueLine { _type: "issue", issue, counts }).map(|line| line + "\n");
    if issue.created_at.is_some() && issue.updated_at.is_some() {
        return write(issue);
    }
    let mut dated = issue.clone();
    dated.created_at.get_or_insert(Timestamp::UNIX_EPOCH);
    dated.updated_at.get_or_insert(Timestamp::UNIX_EPOCH);
    write(&dated)
}

/// The line of one memory, with its line break.
pub fn write_memory(key: &str, value: &str) -> Result<String, Error> {
    #[derive(Serialize)]
    struct MemoryLine<'m> {
        _type: &'static str,
        key: &'m str,
        value: &'m str,
    }
    go_json::line(&MemoryLine { _type: "memory", key, value }).map(|line| line + "\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Header, read};
    use super::*;
    use crate::issue::{Comment, Metadata};

    #[test]
    fn keys_stand_in_bds_order_and_empty_ones_are_left_out() {
        let line = write_issue(
            &Issue { id: "x-a".into(), title: "<t>".into(), ..Issue::default() },
            Counts::default(),
        );
        let expected = r#"{"_type":"issue","id":"x-a","title":"\u003ct\u003e","priority":0,"created_at":"1970-01-01T00:00:00Z","updated_at":"1970-01-01T00:00:00Z","dependency_count":0,"dependent_count":0,"comment_count":0}"#;
        assert_eq!(line.unwrap(), format!("{expected}\n"));
        let memory = write_memory("k", "v<").unwrap();
        assert_eq!(memory, "{\"_type\":\"memory\",\"key\":\"k\",\"value\":\"v\\u003c\"}\n");
    }

    #[test]
    fn every_key_stands_in_its_place() {
        let at = Some(Timestamp::UNIX_EPOCH);
        let edge = Edge {
            created_at: at,
            created_by: "e".into(),
            metadata: "{}".into(),
            ..Edge::new("i", "j", EdgeType::Blocks)
        };
        let text = || "x".to_owned();
        let full = Issue {
            id: text(),
            content_hash: text(),
            title: text(),
            description: text(),
            design: text(),
            acceptance_criteria: text(),
            notes: text(),
            spec_id: text(),
            status: crate::Status::Open,
            priority: 1,
            issue_type: crate::IssueType::Bug,
            assignee: text(),
            owner: text(),
            estimated_minutes: Some(0),
            created_at: at,
            created_by: text(),
            updated_at: at,
            started_at: at,
            closed_at: at,
            close_reason: text(),
            closed_by_session: text(),
            due_at: at,
            defer_until: at,
            external_ref: Some(String::new()),
            source_system: text(),
            metadata: Some(Metadata::new("{ }").unwrap()),
            compaction_level: 1,
            compacted_at: at,
            compacted_at_commit: Some(text()),
            original_size: 1,
            source_repo: text(),
            labels: vec![text()],
            dependencies: vec![edge],
            comments: vec![Comment::default()],
            sender: text(),
            ephemeral: true,
            no_history: true,
            wisp_type: text(),
            pinned: true,
            is_template: true,
            bonded_from: vec![crate::issue::BondRef::default()],
            await_type: text(),
            await_id: text(),
            timeout: 1,
            waiters: vec![text()],
            source_formula: text(),
            source_location: text(),
            mol_type: text(),
            work_type: text(),
            event_kind: text(),
            actor: text(),
            target: text(),
            payload: text(),
        };
        let line = write_issue(&full, Counts::default()).unwrap();
        let order = "_type id title description design acceptance_criteria notes spec_id status priority issue_type assignee \
            owner estimated_minutes created_at created_by updated_at started_at closed_at close_reason closed_by_session due_at \
            defer_until external_ref source_system metadata compaction_level compacted_at compacted_at_commit original_size \
            labels dependencies comments sender ephemeral no_history wisp_type pinned is_template bonded_from await_type \
            await_id timeout waiters source_formula source_location mol_type work_type event_kind actor target payload \
            dependency_count dependent_count comment_count";
        let mut at = 0;
        for key in order.split_whitespace() {
            let found = line[at..].find(&format!("\"{key}\":"));
            at += found.unwrap_or_else(|| panic!("{key} after byte {at} of {line}"));
        }
        let back = read(line.as_bytes(), Header::AnIssue).unwrap().issues.remove(0);
        let mut expected = full;
        (expected.content_hash, expected.source_repo) = (String::new(), String::new());
        expected.metadata = Some(Metadata::new("{}").unwrap());
        assert_eq!(back, expected);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            texts in prop::collection::vec(".{0,30}", 8),
            labels in prop::collection::vec(".{0,5}", 0..3),
            priority in 0..5_i64,
            seconds in -62_135_596_799_i64..253_402_300_800,
            nanos in 0..1_000_000_000_i32,
            flags in any::<[bool; 4]>(),
        ) {
            let [title, description, notes, assignee, payload, status, author, text] = texts.try_into().unwrap();
            let at = Some(Timestamp::new(seconds, nanos).unwrap());
            let [ephemeral, no_history, pinned, is_template] = flags;
            let mut issue = Issue {
                id: "x-a".into(), title, description, notes, assignee, payload, priority, labels, ephemeral, no_history,
                pinned, is_template, status: status.as_str().into(), created_at: at, updated_at: at, due_at: at,
                external_ref: Some(author.clone()),
                comments: vec![Comment { id: "c".into(), author, text, created_at: at, ..Comment::default() }],
                metadata: Some(Metadata::new(serde_json::to_string(&status).unwrap()).unwrap()),
                ..Issue::default()
            };
            prop_assume!(status != "tombstone");
            let line = write_issue(&issue, Counts::default()).unwrap();
            issue.set_defaults();
            let mut back = read(line.as_bytes(), Header::AnIssue).unwrap().issues.remove(0);
            // The text of metadata may have other escapes; its value is the same.
            let value = |issue: &mut Issue| {
                let metadata = issue.metadata.take().unwrap();
                serde_json::from_str::<serde_json::Value>(metadata.as_str()).unwrap()
            };
            prop_assert_eq!(value(&mut back), value(&mut issue));
            prop_assert_eq!(back, issue);
        }
    }
}
