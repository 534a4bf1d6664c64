//! Queries: how they are read, which become filters, and what they find.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::graph::Graph;

fn now() -> Zoned {
    "2026-08-12T10:20:30Z".parse::<Timestamp>().unwrap().to_zoned(TimeZone::UTC)
}

fn refusal(text: &str) -> String {
    let query = Query::parse(text).and_then(|query| query.answer(&now(), false).map(drop));
    query.unwrap_err().to_string()
}

#[test]
fn precedence_is_not_and_or() {
    for (text, tree) in [
        ("a=1 or b=2 and not c=3", "(a=1 OR (b=2 AND NOT c=3))"),
        ("(a=1 OR b!=2) AND c<=7d", "((a=1 OR b!=2) AND c<=7d)"),
        ("NOT NOT Title=\"x y\"", "NOT NOT title=x y"),
        ("a>='it\\'s' AND b<-3", "(a>=it's AND b<-3)"),
        ("id=x-a.1* ", "id=x-a.1"),
    ] {
        match Query::parse(text) {
            Ok(query) => assert_eq!(query.to_string(), tree),
            // The star is no part of a word: it has to be quoted.
            Err(e) => assert_eq!(e.to_string(), "unexpected character '*' at position 8", "{text}"),
        }
    }
}

#[test]
fn refusals_have_bds_words() {
    for (text, expected) in [
        ("", "empty query"),
        ("status", "expected comparison operator at position 6, got EOF"),
        ("status=", "expected value at position 7, got EOF"),
        ("=1", "expected field name at position 0, got ="),
        ("(a=1", "expected ')' at position 4, got EOF"),
        ("a=1 b=2", "unexpected token \"b\" at position 4 (expected end of query)"),
        ("a!1", "unexpected character '!' at position 1 (did you mean '!=' or 'NOT'?)"),
        ("a='x", "unterminated string starting at position 2"),
        ("a=-x", "expected digit at position 3"),
        ("nope=1", "unknown field: nope"),
        ("status=weird", "invalid status: weird"),
        ("status<open", "status only supports = and != operators"),
        ("priority=7", "priority must be between 0 and 4"),
        ("priority<0", "priority < 0 matches nothing"),
        ("priority!=2", "priority != requires predicate filtering"),
        ("owner=me", "owner filtering requires predicate mode"),
        ("created!=today", "created does not support != operator"),
        (
            "created=nonsense",
            "invalid created time: cannot parse time expression: \"nonsense\" (examples: +6h, tomorrow, 2025-01-15)",
        ),
        ("pinned=maybe", "invalid boolean value for pinned: maybe"),
        ("parent=x OR id=y", "unknown field: parent"),
        ("metadata.a-b=1", "invalid metadata key \"a-b\": must match [a-zA-Z_][a-zA-Z0-9_.]*"),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
    assert!(refusal(&"(".repeat(1000)).contains("nested deeper"));
    assert!(refusal(&"not ".repeat(1000)).contains("nested deeper"));
}

#[test]
fn filters_are_used_where_they_suffice() {
    let filter = |text: &str| Query::parse(text).unwrap().answer(&now(), false).unwrap();
    assert!(filter("status=open AND priority>1 AND NOT type=epic").predicate.is_none());
    assert_eq!(filter("label=a OR label=b").filter.labels_any, ["a", "b"]);
    assert!(filter("label=a OR title=b").predicate.is_some());
    assert_eq!(filter("priority<=1").filter.exclude_status, [Status::Closed]);
    assert_eq!(filter("status!=blocked").filter.exclude_status, [Status::Blocked]);
    let week = filter("updated>7d").filter.updated.after;
    assert_eq!(week, Some("2026-08-05T10:20:30Z".parse().unwrap()));
    let day = filter("created='2026-08-01'").filter.created;
    assert_eq!(day.after, Some("2026-08-01T00:00:00Z".parse().unwrap()));
    assert_eq!(day.before, Some("2026-08-02T00:00:00Z".parse().unwrap()));
}

#[test]
fn both_forms_find_what_they_should() {
    let mut issue = Issue {
        id: "x-a".into(),
        title: "Größe der Liste".into(),
        assignee: "Me".into(),
        priority: 1,
        labels: vec!["UI".into()],
        created_at: Some("2026-08-01T23:00:00Z".parse().unwrap()),
        metadata: Some(crate::issue::Metadata::new(r#"{"team":"core"}"#).unwrap()),
        ..Issue::default()
    };
    issue.set_defaults();
    let graph = Graph::default();
    let finds = |text: &str| {
        let answer = Query::parse(text).unwrap().answer(&now(), false).unwrap();
        answer.filter.matches(&issue, &graph, now().timestamp()) && answer.passes(&issue)
    };
    for text in [
        "title=größe",
        "label=UI",
        "label=ui OR status=closed",
        "assignee=me OR status=closed",
        "assignee=Me",
        "NOT (priority>2 OR status=closed)",
        "priority!=2 AND NOT label=none",
        "created='2026-08-01' OR owner=nobody",
        "metadata.team=core",
        "has_metadata_key=team OR id=x",
        "id='x-*' AND type=task",
        "closed>1d OR created<1d",
    ] {
        assert!(finds(text), "{text}");
    }
    for text in
        ["label=ui", "assignee=me", "title!=größe OR id=y", "closed>1d OR id=y", "metadata.team=x OR id=y"]
    {
        assert!(!finds(text), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered_or_refused(text in r#"(title|status|created|=|!=|<|>|[0-9]{1,3}|d|"|'|\(|\)| |and|or|not|open|\\|é){0,20}|.{0,30}"#) {
        if let Ok(query) = Query::parse(&text) {
            drop(query.answer(&now(), false));
        }
    }
}
