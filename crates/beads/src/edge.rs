//! Edges between issues: their kinds, their computed ids, where a target lives, and what `dep add` refuses. An edge says that
//! its issue *depends on* the target. One pair of issues has one edge, whatever its kind.

use crate::issue::IssueType;
use crate::text::{quoted, uuid_v5};
use crate::when::write_required;
use crate::words::words;
use jiff::Timestamp;
use serde::Serialize;

words! {
    /// The kind of an edge (bd `internal/types`: `DependencyType`). Any text of 1 to 50 bytes can be stored.
    EdgeType {
        /// Waits until the target is closed.
        Blocks = "blocks",
        /// Is a child of the target.
        ParentChild = "parent-child",
        /// Like `blocks`: bd ignores the reason of the close.
        ConditionalBlocks = "conditional-blocks",
        /// Waits for the children of the target.
        WaitsFor = "waits-for",
        /// Belongs to the same matter.
        Related = "related",
        /// Was found while working on the target.
        DiscoveredFrom = "discovered-from",
        /// Answers the target.
        RepliesTo = "replies-to",
        /// Loose link, in both directions.
        RelatesTo = "relates-to",
        /// Is the same as the target.
        Duplicates = "duplicates",
        /// Replaces the target.
        Supersedes = "supersedes",
        /// Was made by the target.
        AuthoredBy = "authored-by",
        /// Is given to the target.
        AssignedTo = "assigned-to",
        /// Was approved by the target.
        ApprovedBy = "approved-by",
        /// Vouches for the target.
        Attests = "attests",
        /// Watches the target without waiting for it.
        Tracks = "tracks",
        /// Holds until the target is closed.
        Until = "until",
        /// Was set off by the target.
        CausedBy = "caused-by",
        /// Confirms the target.
        Validates = "validates",
        /// Was handed down from the target.
        DelegatedFrom = "delegated-from",
    }
}

impl EdgeType {
    /// Whether it can be stored: 1 to 50 bytes (bd `DependencyType.IsValid`).
    pub fn is_valid(&self) -> bool {
        (1..=50).contains(&self.as_str().len())
    }

    /// One of the kinds that commands accept (bd `IsWellKnown`).
    pub fn is_well_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Makes its issue wait for the target itself.
    pub fn blocks_directly(&self) -> bool {
        matches!(self, Self::Blocks | Self::ConditionalBlocks)
    }

    /// Has a part in what is ready (bd `AffectsReadyWork`).
    pub fn affects_ready_work(&self) -> bool {
        matches!(self, Self::Blocks | Self::ParentChild | Self::ConditionalBlocks | Self::WaitsFor)
    }
}

/// One edge (bd `Dependency`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Where it begins. Empty in a line of JSONL means the issue of that line.
    pub issue_id: String,
    /// Where it leads: an issue, a wisp, or `external:…`.
    pub depends_on_id: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: EdgeType,
    /// When it was made; `None` is replaced by the time of insertion.
    #[serde(serialize_with = "write_required")]
    pub created_at: Option<Timestamp>,
    /// Who made it; empty is replaced by the actor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// JSON, as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    /// Root of a conversation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thread_id: String,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            issue_id: String::new(),
            depends_on_id: String::new(),
            kind: EdgeType::Other(String::new()),
            created_at: None,
            created_by: String::new(),
            metadata: String::new(),
            thread_id: String::new(),
        }
    }
}

/// Which of the three target columns an edge uses (bd `DepTargetKind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// `depends_on_issue_id`.
    Issue,
    /// `depends_on_wisp_id`.
    Wisp,
    /// `depends_on_external`: not looked up, blocks nothing.
    External,
}

/// What a `waits-for` edge waits for (bd `ParseWaitsForGateMetadata`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitsFor {
    /// Every child is closed or pinned; the default, also for metadata that is no object.
    AllChildren,
    /// One child is closed, or none is live.
    AnyChildren,
}

impl Edge {
    /// An edge without author, time or metadata.
    pub fn new(issue_id: impl Into<String>, depends_on_id: impl Into<String>, kind: EdgeType) -> Self {
        let (issue_id, depends_on_id) = (issue_id.into(), depends_on_id.into());
        Self { issue_id, depends_on_id, kind, ..Self::default() }
    }

    /// The primary key, see [`computed_id`].
    pub fn computed_id(&self) -> String {
        computed_id(&self.issue_id, &self.depends_on_id)
    }

    /// `external:…`.
    pub fn is_external(&self) -> bool {
        self.depends_on_id.starts_with("external:")
    }

    /// Which column the target belongs into. `dep add` (not an import) treats an id with another prefix as external
    /// (bd `ClassifyDepTarget`).
    pub fn target(&self, foreign_prefix_is_external: bool, is_wisp: impl FnOnce(&str) -> bool) -> Target {
        let foreign =
            || crate::id::leading_prefix(&self.issue_id) != crate::id::leading_prefix(&self.depends_on_id);
        if self.is_external() || (foreign_prefix_is_external && foreign()) {
            Target::External
        } else if is_wisp(&self.depends_on_id) {
            Target::Wisp
        } else {
            Target::Issue
        }
    }

    /// The gate of a `waits-for` edge, from `gate` in the metadata.
    pub fn waits_for(&self) -> WaitsFor {
        let metadata: Option<serde_json::Value> = serde_json::from_str(&self.metadata).ok();
        match metadata.as_ref().and_then(|metadata| metadata.get("gate")?.as_str()) {
            Some("any-children") => WaitsFor::AnyChildren,
            _ => WaitsFor::AllChildren,
        }
    }

    /// The gate by which the flag `is_blocked` goes. bd computes that one in SQL, where a gate that is not there is NULL and
    /// refuses nothing: one closed child is enough then, too (bd `waitsForGateBlockedSQL`; seen with bd 1.1.0).
    pub fn gate_of_flag(&self) -> WaitsFor {
        let metadata: Option<serde_json::Value> = serde_json::from_str(&self.metadata).ok();
        match metadata.as_ref().and_then(|metadata| metadata.get("gate")) {
            None => WaitsFor::AnyChildren,
            Some(gate) if gate == "any-children" => WaitsFor::AnyChildren,
            Some(_) => WaitsFor::AllChildren,
        }
    }
}

/// The primary key of an edge since 1.1.0, equal in every clone: UUID v5 over `issue`, 0x1F, `target`. The kind is no part of it
/// (bd `storage/depid`).
pub fn computed_id(issue: &str, target: &str) -> String {
    const NAMESPACE: [u8; 16] =
        [0xbd, 0xd7, 0x4e, 0xb9, 0xa2, 0x0a, 0x55, 0x4a, 0x98, 0x5b, 0x54, 0xb8, 0xf3, 0xe6, 0x4d, 0x8b];
    uuid_v5(NAMESPACE, &[issue.as_bytes(), &[0x1f], target.as_bytes()])
}

/// Why an edge is refused; the words are bd's (`issueops/dependencies.go`, `create_deps.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// One end does not exist.
    #[error("issue {0} not found")]
    NotFound(String),
    /// `blocks` from an epic to something else.
    #[error("epics can only block other epics, not tasks")]
    EpicToTask,
    /// `blocks` from something else to an epic.
    #[error("tasks can only block other tasks, not epics")]
    TaskToEpic,
    /// Both ends are the same.
    #[error("cannot add self-dependency: {0} cannot depend on itself")]
    Itself(String),
    /// The target already waits for the issue.
    #[error("adding dependency would create a cycle")]
    Cycle,
    /// The pair has an edge of another kind.
    #[error(
        "dependency {issue} -> {target} already exists with type {} (requested {}); remove it first with 'bd dep remove' then re-add",
        quoted(existing.as_str()),
        quoted(requested.as_str())
    )]
    OtherKind {
        /// Where it begins.
        issue: String,
        /// Where it leads.
        target: String,
        /// What is there.
        existing: EdgeType,
        /// What was asked for.
        requested: EdgeType,
    },
    /// Empty, or longer than 50 bytes.
    #[error("invalid dependency type {} (must be non-empty, max 50 chars); valid types: {}", quoted(.0), accepted_types())]
    InvalidType(String),
    /// A word that commands do not know.
    #[error("unknown dependency type {}; valid types: {}", quoted(.0), accepted_types())]
    UnknownType(String),
    /// A gate that is neither of the two.
    #[error("invalid --waits-for-gate value {} (valid: all-children, any-children)", quoted(.0))]
    Gate(String),
}

/// What `--deps` accepts, sorted, as bd's message lists it (`createDepsAcceptedTypeList`).
fn accepted_types() -> &'static str {
    "approved-by, assigned-to, attests, authored-by, blocked-by, blocks, caused-by, conditional-blocks, delegated-from, \
        depends-on, discovered-from, duplicates, parent-child, related, relates-to, replies-to, supersedes, tracks, until, \
        validates, waits-for"
}

/// What the store knows of the two ends when an edge is to be added.
#[derive(Debug)]
pub struct Ends<'a> {
    /// The type of the issue, if it exists.
    pub issue: Option<&'a IssueType>,
    /// The type of the target, if it exists. Not asked for an external one.
    pub target: Option<&'a IssueType>,
    /// The kind of the edge that the pair has already.
    pub existing: Option<&'a EdgeType>,
}

/// What to do with an edge that nothing forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    Insert,
    /// It is there with the same kind: only its metadata is replaced.
    ReplaceMetadata,
}

/// Whether an edge may be added, refusals in bd's order (`AddDependencyInTx`). `waits` says whether its first argument already
/// waits, over edges that block directly, for its second.
pub fn check_new(
    edge: &Edge,
    target: Target,
    ends: &Ends<'_>,
    waits: impl FnOnce(&str, &str) -> bool,
) -> Result<Added, EdgeError> {
    let Some(issue_type) = ends.issue else { return Err(EdgeError::NotFound(edge.issue_id.clone())) };
    if target != Target::External {
        let Some(target_type) = ends.target else {
            return Err(EdgeError::NotFound(edge.depends_on_id.clone()));
        };
        let epics = (*issue_type == IssueType::Epic, *target_type == IssueType::Epic);
        match (&edge.kind, epics) {
            (EdgeType::Blocks, (true, false)) => return Err(EdgeError::EpicToTask),
            (EdgeType::Blocks, (false, true)) => return Err(EdgeError::TaskToEpic),
            _ => {}
        }
    }
    check_cycle(edge, waits)?;
    match ends.existing {
        None => Ok(Added::Insert),
        Some(existing) if *existing == edge.kind => Ok(Added::ReplaceMetadata),
        Some(existing) => Err(EdgeError::OtherKind {
            issue: edge.issue_id.clone(),
            target: edge.depends_on_id.clone(),
            existing: existing.clone(),
            requested: edge.kind.clone(),
        }),
    }
}

/// The part of [`check_new`] that an import makes, too (bd `CheckDependencyCycleInTx`): no edge to itself, no circle of edges
/// that block directly.
pub fn check_cycle(edge: &Edge, waits: impl FnOnce(&str, &str) -> bool) -> Result<(), EdgeError> {
    if edge.issue_id == edge.depends_on_id {
        return Err(EdgeError::Itself(edge.issue_id.clone()));
    }
    if edge.kind.blocks_directly() && waits(&edge.depends_on_id, &edge.issue_id) {
        return Err(EdgeError::Cycle);
    }
    Ok(())
}

/// One item of `create --deps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepSpec {
    /// The kind.
    pub kind: EdgeType,
    /// The other issue.
    pub target: String,
    /// `blocks:X` means that X depends on the new issue, not the other way round.
    pub reversed: bool,
}

/// Reads `X`, `depends-on:X`, `blocked-by:X`, `blocks:X` (reversed) or `<kind>:X` (bd `parseDepSpec`).
pub fn parse_dep_spec(text: &str) -> Result<DepSpec, EdgeError> {
    let text = text.trim();
    let Some((word, target)) = text.split_once(':') else {
        return Ok(DepSpec { kind: EdgeType::Blocks, target: text.to_owned(), reversed: false });
    };
    let (word, target) = (word.trim(), target.trim().to_owned());
    let kind = match word {
        "depends-on" | "blocked-by" => EdgeType::Blocks,
        word => EdgeType::from(word),
    };
    if !kind.is_valid() {
        return Err(EdgeError::InvalidType(word.to_owned()));
    }
    if !kind.is_well_known() {
        return Err(EdgeError::UnknownType(word.to_owned()));
    }
    Ok(DepSpec { kind, target, reversed: word == "blocks" })
}

/// The metadata of a `waits-for` edge; an empty word is the default gate (bd `buildWaitsFor`).
pub fn waits_for_metadata(gate: &str) -> Result<String, EdgeError> {
    match gate {
        "" | "all-children" => Ok(r#"{"gate":"all-children"}"#.to_owned()),
        "any-children" => Ok(r#"{"gate":"any-children"}"#.to_owned()),
        other => Err(EdgeError::Gate(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_edges_are_bds() {
        for (issue, target, id) in [
            ("issue-1", "issue-2", "91990ee3-275c-59c5-9291-30f8a8732228"),
            ("mybd-7x76", "mybd-kd8a", "c77e0366-7f45-5f8c-9f12-2c51e0a0c5fd"),
            ("a", "external:https://x/y", "0ac7aa98-536c-5bfa-9e11-df69cc67438a"),
            ("w-1", "wisp-2", "a98c6757-0779-51f0-8fc1-8d2c8be7cb97"),
        ] {
            assert_eq!(computed_id(issue, target), id);
        }
    }

    #[test]
    fn refusals_come_in_bds_order_and_words() {
        let (task, epic) = (IssueType::Task, IssueType::Epic);
        let refusal = |kind: EdgeType, ends: &Ends<'_>, waits: bool| {
            let edge = Edge::new("x-a", "x-b", kind);
            check_new(&edge, Target::Issue, ends, |_, _| waits).map_err(|e| e.to_string())
        };
        let ends = |issue, target, existing| Ends { issue, target, existing };
        let (t, e) = (Some(&task), Some(&epic));
        let blocks = || EdgeType::Blocks;
        assert_eq!(refusal(blocks(), &ends(None, None, None), true).unwrap_err(), "issue x-a not found");
        assert_eq!(refusal(blocks(), &ends(t, None, None), true).unwrap_err(), "issue x-b not found");
        let epics = "epics can only block other epics, not tasks";
        assert_eq!(refusal(blocks(), &ends(e, t, None), true).unwrap_err(), epics);
        assert_eq!(refusal(EdgeType::ConditionalBlocks, &ends(e, t, None), false), Ok(Added::Insert));
        let cycle = "adding dependency would create a cycle";
        assert_eq!(refusal(blocks(), &ends(t, t, Some(&EdgeType::Tracks)), true).unwrap_err(), cycle);
        assert_eq!(
            refusal(EdgeType::Tracks, &ends(t, t, Some(&EdgeType::Tracks)), true),
            Ok(Added::ReplaceMetadata)
        );
        let other = "dependency x-a -> x-b already exists with type \"tracks\" (requested \"blocks\"); \
            remove it first with 'bd dep remove' then re-add";
        assert_eq!(refusal(blocks(), &ends(t, t, Some(&EdgeType::Tracks)), false).unwrap_err(), other);
        let own = check_cycle(&Edge::new("x", "x", EdgeType::Related), |_, _| false).unwrap_err();
        assert_eq!(own.to_string(), "cannot add self-dependency: x cannot depend on itself");
    }

    #[test]
    fn blocks_in_deps_is_reversed() {
        let spec = |text| parse_dep_spec(text).map(|s| (s.kind, s.target, s.reversed));
        assert_eq!(spec(" x-1 "), Ok((EdgeType::Blocks, "x-1".into(), false)));
        assert_eq!(spec("blocks:x-1"), Ok((EdgeType::Blocks, "x-1".into(), true)));
        assert_eq!(spec("blocked-by: x-1"), Ok((EdgeType::Blocks, "x-1".into(), false)));
        assert_eq!(spec("tracks:external:a:b"), Ok((EdgeType::Tracks, "external:a:b".into(), false)));
        assert!(
            spec("zork:x")
                .unwrap_err()
                .to_string()
                .starts_with("unknown dependency type \"zork\"; valid types: approved-by")
        );
        assert!(
            spec(":x")
                .unwrap_err()
                .to_string()
                .starts_with("invalid dependency type \"\" (must be non-empty")
        );
    }

    #[test]
    fn targets_are_classified() {
        let edge = |target| Edge::new("x-a", target, EdgeType::Blocks);
        assert_eq!(edge("x-b").target(true, |_| false), Target::Issue);
        assert_eq!(edge("x-b").target(true, |_| true), Target::Wisp);
        assert_eq!(edge("y-b").target(true, |_| true), Target::External);
        assert_eq!(edge("y-b").target(false, |_| false), Target::Issue);
        assert_eq!(edge("external:y").target(false, |_| true), Target::External);
    }

    #[test]
    fn gates_are_read_from_metadata() {
        let gate = |metadata: &str| Edge { metadata: metadata.into(), ..Edge::default() }.waits_for();
        assert_eq!(gate(&waits_for_metadata("any-children").unwrap()), WaitsFor::AnyChildren);
        for other in ["", "{}", "[]", "{", r#"{"gate":"some"}"#, &waits_for_metadata("").unwrap()] {
            assert_eq!(gate(other), WaitsFor::AllChildren, "{other}");
        }
        let of_flag = |metadata: &str| Edge { metadata: metadata.into(), ..Edge::default() }.gate_of_flag();
        for any in ["", "{}", r#"{"other":1}"#, &waits_for_metadata("any-children").unwrap()] {
            assert_eq!(of_flag(any), WaitsFor::AnyChildren, "{any}");
        }
        for all in [r#"{"gate":"some"}"#, r#"{"gate":null}"#, &waits_for_metadata("").unwrap()] {
            assert_eq!(of_flag(all), WaitsFor::AllChildren, "{all}");
        }
    }
}
