//! Whole issues from a reader: rows and what hangs on them, by id or all.

use std::collections::HashMap;

use beads::edge::Target;
use beads::id::Prefixes;
use beads::issue::{Allowed, CustomStatus, names_of_list, parse_custom_statuses};
use beads::jsonl::{Counts, CountsById};
use beads::{Comment, Edge, EdgeType, Graph, Issue, IssueType, Metadata, Status};
use dolt_store::table::Value;

use super::family::Family;
use super::reader::{By, Reader, into_text, into_time};
use super::{StoreError, issue_row};

/// What hangs on issues and is read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct With {
    /// Their labels.
    pub labels: bool,
    /// The edges that begin at them.
    pub edges: bool,
    /// Their comments.
    pub comments: bool,
    /// Without their long texts and documents, each of which lies outside of its row.
    pub brief: bool,
}

impl With {
    /// Everything.
    pub const ALL: Self = Self { labels: true, edges: true, comments: true, brief: false };
    /// Nothing but the rows.
    pub const NOTHING: Self = Self { labels: false, edges: false, comments: false, brief: false };
}

/// An edge with the column that its target stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEdge {
    /// The edge.
    pub edge: Edge,
    /// Its primary key.
    pub id: String,
    /// Which column.
    pub target: Target,
    /// The family of its issue.
    pub family: Family,
}

// What the three columns of an edge's target say.
const EDGE_TARGETS: [Target; 3] = [Target::Issue, Target::Wisp, Target::External];

/// The three columns of an edge's target.
pub const TARGETS: [&str; 3] = ["depends_on_issue_id", "depends_on_wisp_id", "depends_on_external"];

const EDGE_COLUMNS: [&str; 10] = [
    "id",
    "issue_id",
    "type",
    "created_at",
    "created_by",
    "metadata",
    "thread_id",
    "depends_on_issue_id",
    "depends_on_wisp_id",
    "depends_on_external",
];

/// Issues of one family with what is wanted of them, in no order.
pub fn issues(reader: &dyn Reader, family: Family, by: By<'_>, with: With) -> Result<Vec<Issue>, StoreError> {
    let everything = by == By::All;
    let shape = issue_row::Shape::of(with.brief);
    let question = super::reader::Select { table: family.rows(), columns: &shape.columns, by };
    let mut found = super::apart::collect(reader, &question, &|row| shape.issue(row))?;
    attach(reader, family, &mut found, with, everything)?;
    Ok(found)
}

/// All issues of both families, or of `issues` alone.
pub fn everything(reader: &dyn Reader, wisps: bool, with: With) -> Result<Vec<Issue>, StoreError> {
    let mut found = issues(reader, Family::Issues, By::All, with)?;
    if wisps {
        found.extend(issues(reader, Family::Wisps, By::All, with)?);
    }
    Ok(found)
}

/// Gives issues the sessions that closed them, which only an export tells. `by`: which rows are looked at.
pub fn sessions(reader: &dyn Reader, by: &By<'_>, issues: &mut [Issue]) -> Result<(), StoreError> {
    let mut known = HashMap::new();
    for family in Family::BOTH {
        for row in reader.rows(family.rows(), &["id", "closed_by_session"], by.clone())? {
            let mut row = row.into_iter().map(|value| into_text(value).unwrap_or_default());
            let (id, session) = (row.next().unwrap_or_default(), row.next().unwrap_or_default());
            if !session.is_empty() {
                known.insert(id, session);
            }
        }
    }
    for issue in issues {
        issue.closed_by_session = known.remove(&issue.id).unwrap_or_default();
    }
    Ok(())
}

/// One issue or wisp by its exact id, and where it lives.
pub fn issue(reader: &dyn Reader, id: &str, with: With) -> Result<Option<(Issue, Family)>, StoreError> {
    for family in Family::BOTH {
        let key = [("id", Value::Text(id.to_owned()))];
        if let Some(issue) = issues(reader, family, By::Equal(&key), with)?.pop() {
            return Ok(Some((issue, family)));
        }
    }
    Ok(None)
}

/// How many remarks these issues and wisps have, by id; none: not named.
pub fn comment_counts(reader: &dyn Reader, ids: &[String]) -> Result<HashMap<String, usize>, StoreError> {
    let mut counts = HashMap::new();
    for family in Family::BOTH {
        for id in reader.texts(family.comments(), "issue_id", By::In("issue_id", ids))? {
            *counts.entry(id).or_default() += 1;
        }
    }
    Ok(counts)
}

/// The numbers of one issue or wisp, over both families.
pub fn counts(reader: &dyn Reader, id: &str) -> Result<Counts, StoreError> {
    let text = |text: &str| Value::Text(text.to_owned());
    let ends = |family: Family, column| {
        let by = [(column, text(id)), ("type", text(EdgeType::Blocks.as_str()))];
        reader.rows(family.edges(), &["id"], By::Equal(&by)).map(|rows| rows.len())
    };
    let mut counts = Counts::default();
    for family in Family::BOTH {
        counts.dependency_count += ends(family, "issue_id")?;
        for column in TARGETS {
            counts.dependent_count += ends(family, column)?;
        }
    }
    counts.comment_count = comment_counts(reader, &[id.to_owned()])?.remove(id).unwrap_or_default();
    Ok(counts)
}

/// Counts `blocks` edges at both of their ends.
pub(super) fn count_edges<'e>(counts: &mut CountsById, edges: impl IntoIterator<Item = &'e Edge>) {
    Counts::of_edges(edges, |id, one| add(counts, id, one));
}

/// Counts all remarks of a family.
pub(super) fn count_comments(
    counts: &mut CountsById,
    reader: &dyn Reader,
    family: Family,
) -> Result<(), StoreError> {
    let question = super::reader::Select { table: family.comments(), columns: &["issue_id"], by: By::All };
    reader.select(&question, &mut |row| {
        if let Some(id) = row.drain(..).next().and_then(into_text) {
            add(counts, &id, |counts| counts.comment_count += 1);
        }
        Ok(())
    })
}

// Most ids come again: their text is copied once.
fn add(counts: &mut CountsById, id: &str, one: fn(&mut Counts)) {
    match counts.get_mut(id) {
        Some(known) => one(known),
        None => one(counts.entry(id.to_owned()).or_default()),
    }
}

/// Issues and wisps by their exact ids, in no order.
pub fn issues_by_id(reader: &dyn Reader, ids: &[String], with: With) -> Result<Vec<Issue>, StoreError> {
    let mut found = issues(reader, Family::Issues, By::In("id", ids), with)?;
    if found.len() < ids.len() {
        found.extend(issues(reader, Family::Wisps, By::In("id", ids), with)?);
    }
    Ok(found)
}

fn attach(
    reader: &dyn Reader,
    family: Family,
    issues: &mut [Issue],
    with: With,
    everything: bool,
) -> Result<(), StoreError> {
    if issues.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = issues.iter().map(|issue| issue.id.clone()).collect();
    let by = || if everything { By::All } else { By::In("issue_id", &ids) };
    let places: foldhash::HashMap<&str, usize> =
        ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    if with.labels {
        for row in reader.rows(family.labels(), &["issue_id", "label"], by())? {
            let mut row = row.into_iter();
            let issue = row.next().and_then(into_text).and_then(|id| places.get(id.as_str()).copied());
            if let (Some(at), Some(label)) = (issue, row.next().and_then(into_text)) {
                issues[at].labels.push(label);
            }
        }
        for issue in issues.iter_mut() {
            issue.labels.sort();
        }
    }
    if with.edges {
        let mut edges = edges(reader, family, by())?;
        in_order(&mut edges);
        for stored in edges {
            if let Some(at) = places.get(stored.edge.issue_id.as_str()) {
                issues[*at].dependencies.push(stored.edge);
            }
        }
    }
    if with.comments {
        let mut found = comments(reader, family, by())?;
        found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        for comment in found {
            if let Some(at) = places.get(comment.issue_id.as_str()) {
                issues[*at].comments.push(comment);
            }
        }
    }
    Ok(())
}

/// Edges of one family.
pub fn edges(reader: &dyn Reader, family: Family, by: By<'_>) -> Result<Vec<StoredEdge>, StoreError> {
    let mut found = Vec::new();
    each_edge(reader, family, by, &mut |edge| found.push(edge))?;
    Ok(found)
}

/// The same, one by one.
pub(super) fn each_edge(
    reader: &dyn Reader,
    family: Family,
    by: By<'_>,
    take: &mut dyn FnMut(StoredEdge),
) -> Result<(), StoreError> {
    let question = super::reader::Select { table: family.edges(), columns: &EDGE_COLUMNS, by };
    reader.select(&question, &mut |row| {
        let mut row = row.drain(..);
        let mut next = || row.next().unwrap_or(Value::Null);
        let text = |value| into_text(value).unwrap_or_default();
        let id = text(next());
        let mut edge = Edge {
            issue_id: text(next()),
            depends_on_id: String::new(),
            kind: EdgeType::from(text(next()).as_str()),
            created_at: into_time(&next()),
            created_by: text(next()),
            metadata: spelled(text(next())),
            thread_id: text(next()),
        };
        for target in EDGE_TARGETS {
            if let Some(to) = into_text(next()) {
                edge.depends_on_id = to;
                take(StoredEdge { edge, id, target, family });
                break;
            }
        }
        Ok(())
    })
}

/// Edges of one family with what the graph needs of them: ends and kind, and the document of those that wait. In the order
/// in which bd has them.
pub fn links(reader: &dyn Reader, family: Family) -> Result<Vec<StoredEdge>, StoreError> {
    let mut found = Vec::new();
    let columns = [&["id", "issue_id", "type"][..], &TARGETS].concat();
    let question = super::reader::Select { table: family.edges(), columns: &columns, by: By::All };
    let mut waits = false;
    reader.select(&question, &mut |row| {
        let mut row = row.drain(..);
        let mut next = || row.next().unwrap_or(Value::Null);
        let text = |value| into_text(value).unwrap_or_default();
        let (id, issue_id, kind) = (text(next()), text(next()), EdgeType::from(text(next()).as_str()));
        waits |= kind == EdgeType::WaitsFor;
        for target in EDGE_TARGETS {
            if let Some(to) = into_text(next()) {
                let edge = Edge { issue_id, depends_on_id: to, kind, ..Edge::default() };
                found.push(StoredEdge { edge, id, target, family });
                break;
            }
        }
        Ok(())
    })?;
    if waits {
        let kind = [("type", Value::Text(EdgeType::WaitsFor.as_str().to_owned()))];
        let mut documents = HashMap::new();
        for row in reader.rows(family.edges(), &["id", "metadata"], By::Equal(&kind))? {
            let mut row = row.into_iter().map(|value| into_text(value).unwrap_or_default());
            documents.insert(row.next().unwrap_or_default(), row.next().unwrap_or_default());
        }
        for stored in &mut found {
            stored.edge.metadata = documents.remove(&stored.id).map(spelled).unwrap_or_default();
        }
    }
    in_order(&mut found);
    Ok(found)
}

/// In bd's order: by the computed id, external ones last.
pub(super) fn in_order(edges: &mut [StoredEdge]) {
    edges.sort_by(|a, b| {
        let external = |e: &StoredEdge| e.target == Target::External;
        external(a).cmp(&external(b)).then_with(|| a.id.cmp(&b.id))
    });
}

// JSON as the database prints it, whichever engine has read it.
fn spelled(json: String) -> String {
    if json.is_empty() || json == "{}" {
        return json;
    }
    Metadata::new(json.clone())
        .ok()
        .and_then(|metadata| metadata.as_stored())
        .map_or(json, |metadata| metadata.as_str().to_owned())
}

/// Edges of both families that begin at these.
pub fn edges_from(reader: &dyn Reader, ids: &[String]) -> Result<Vec<StoredEdge>, StoreError> {
    let mut found = Vec::new();
    for family in Family::BOTH {
        found.extend(edges(reader, family, By::In("issue_id", ids))?);
    }
    Ok(found)
}

/// Edges of both families that end at these issues or wisps; external targets are none.
pub fn edges_to(reader: &dyn Reader, ids: &[String]) -> Result<Vec<StoredEdge>, StoreError> {
    let mut found = Vec::new();
    for family in Family::BOTH {
        for column in ["depends_on_issue_id", "depends_on_wisp_id"] {
            found.extend(edges(reader, family, By::In(column, ids))?);
        }
    }
    Ok(found)
}

/// Comments of one family.
pub fn comments(reader: &dyn Reader, family: Family, by: By<'_>) -> Result<Vec<Comment>, StoreError> {
    let columns = ["id", "issue_id", "author", "text", "created_at"];
    let rows = reader.rows(family.comments(), &columns, by)?;
    let comment = |row: Vec<Value>| {
        let mut row = row.into_iter();
        let mut next = || row.next().unwrap_or(Value::Null);
        let text = |value| into_text(value).unwrap_or_default();
        Comment {
            id: text(next()),
            issue_id: text(next()),
            author: text(next()),
            text: text(next()),
            created_at: into_time(&next()),
        }
    };
    Ok(rows.into_iter().map(comment).collect())
}

/// A value of table `config`; an empty one counts as none.
pub fn config(reader: &dyn Reader, key: &str) -> Result<Option<String>, StoreError> {
    keyed(reader, "config", key)
}

/// A value of a table of keys and values.
pub fn keyed(reader: &dyn Reader, table: &str, key: &str) -> Result<Option<String>, StoreError> {
    let by = [("key", Value::Text(key.to_owned()))];
    Ok(reader.text(table, "value", By::Equal(&by))?.filter(|value| !value.is_empty()))
}

/// All keys and values of a table, sorted by key.
pub fn all_keyed(reader: &dyn Reader, table: &str) -> Result<Vec<(String, String)>, StoreError> {
    let rows = reader.rows(table, &["key", "value"], By::All)?;
    let pair = |row: Vec<Value>| {
        let mut row = row.into_iter().map(|value| into_text(value).unwrap_or_default());
        (row.next().unwrap_or_default(), row.next().unwrap_or_default())
    };
    let mut pairs: Vec<_> = rows.into_iter().map(pair).collect();
    pairs.sort();
    Ok(pairs)
}

/// What a database allows and how it names things: the part of `config` that decides about issues.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Own and allowed prefixes.
    pub prefixes: Prefixes,
    /// Custom statuses with their categories.
    pub statuses: Vec<CustomStatus>,
    /// Custom statuses and types.
    pub allowed: Allowed,
    /// Types that become wisps.
    pub infra: Vec<String>,
    /// Ids count instead of being hashes.
    pub counts: bool,
    /// How long hashes are.
    pub length: beads::id::LengthRule,
}

impl Rules {
    /// Reads them.
    pub fn load(reader: &dyn Reader) -> Result<Self, StoreError> {
        let pairs: HashMap<_, _> = all_keyed(reader, "config")?.into_iter().collect();
        let get = |key: &str| pairs.get(key).map(String::as_str).filter(|value| !value.is_empty());
        // In the order of bd's tables of names.
        let list = |key: &str| {
            let mut names = get(key).map(names_of_list).unwrap_or_default();
            names.sort();
            names
        };
        let statuses = get("status.custom").and_then(|value| parse_custom_statuses(value).ok());
        let mut statuses = statuses.unwrap_or_default();
        statuses.sort_by(|a, b| a.name.cmp(&b.name));
        let number = |key: &str| get(key).and_then(|value| value.parse().ok());
        let default = beads::id::LengthRule::default();
        let infra = list("types.infra");
        let infra =
            if infra.is_empty() { beads::issue::INFRA_TYPES.map(str::to_owned).into() } else { infra };
        Ok(Self {
            prefixes: Prefixes {
                own: get("issue_prefix").unwrap_or_default().to_owned(),
                allowed: get("allowed_prefixes").unwrap_or_default().to_owned(),
            },
            allowed: Allowed {
                statuses: statuses.iter().map(|status| status.name.clone()).collect(),
                types: list("types.custom"),
            },
            statuses,
            infra,
            counts: get("issue_id_mode") == Some("counter"),
            length: beads::id::LengthRule {
                max_collision: get("max_collision_prob")
                    .and_then(|v| v.parse().ok())
                    .unwrap_or(default.max_collision),
                min: number("min_hash_length").unwrap_or(default.min),
                max: number("max_hash_length").unwrap_or(default.max),
            },
        })
    }
}

/// The ids of issues and wisps in the order of `list`, as far as a partial id needs it: issues first.
pub fn ids(reader: &dyn Reader) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for family in Family::BOTH {
        let mut rows = Vec::new();
        let columns = ["id", "priority", "created_at"];
        for row in reader.rows(family.rows(), &columns, By::All)? {
            let [id, priority, created] = &row[..] else { continue };
            if let Value::Text(id) = id {
                let priority = super::reader::into_number(priority).unwrap_or_default();
                rows.push((priority, std::cmp::Reverse(into_time(created)), id.clone()));
            }
        }
        rows.sort();
        found.extend(rows.into_iter().map(|(_, _, id)| id));
    }
    Ok(found)
}

/// A status as it is stored, with the flag and the type: what the graph and its guards need of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Its state.
    pub status: Status,
    /// Its kind.
    pub issue_type: IssueType,
    /// The stored flag.
    pub is_blocked: bool,
    /// Where it lives.
    pub family: Family,
}

/// Briefs by id.
pub fn briefs(reader: &dyn Reader, by_ids: Option<&[String]>) -> Result<HashMap<String, Brief>, StoreError> {
    let mut found = HashMap::new();
    // What `issues` holds goes before a wisp of the same id.
    for family in [Family::Wisps, Family::Issues] {
        let by = by_ids.map_or(By::All, |ids| By::In("id", ids));
        let columns = ["id", "status", "issue_type", "is_blocked"];
        for row in reader.rows(family.rows(), &columns, by)? {
            let mut row = row.into_iter();
            let mut next = || row.next().unwrap_or(Value::Null);
            let text = |value| into_text(value).unwrap_or_default();
            let id = text(next());
            let brief = Brief {
                status: Status::from(text(next()).as_str()),
                issue_type: IssueType::from(text(next()).as_str()),
                is_blocked: super::reader::into_number(&next()).is_some_and(|n| n != 0),
                family,
            };
            found.insert(id, brief);
        }
    }
    Ok(found)
}

/// The graph of everything that is stored, its flags computed from nothing.
pub fn graph(reader: &dyn Reader) -> Result<Graph, StoreError> {
    let mut graph = Graph::default();
    for (id, brief) in briefs(reader, None)? {
        graph.insert(&id, &brief.status);
    }
    for family in Family::BOTH {
        for stored in edges(reader, family, By::All)? {
            graph.insert_edge(&stored.edge, stored.target);
        }
    }
    graph.recompute_all();
    Ok(graph)
}
