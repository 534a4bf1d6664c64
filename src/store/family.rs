//! Issues and wisps live in two families of tables of the same shape. Whatever hangs on a row hangs in the tables of its family.

/// One of the two families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Versioned: what clones and pushes carry.
    Issues,
    /// Local to this clone, in no commit. A fresh clone does not even have the tables.
    Wisps,
}

impl Family {
    /// Both, in the order in which an id is looked up.
    pub const BOTH: [Self; 2] = [Self::Issues, Self::Wisps];

    /// The family of a row with or without these flags.
    pub fn of(is_wisp: bool) -> Self {
        if is_wisp { Self::Wisps } else { Self::Issues }
    }

    fn pick(self, issues: &'static str, wisps: &'static str) -> &'static str {
        match self {
            Self::Issues => issues,
            Self::Wisps => wisps,
        }
    }

    /// The rows themselves.
    pub fn rows(self) -> &'static str {
        self.pick("issues", "wisps")
    }

    /// Edges that begin at them.
    pub fn edges(self) -> &'static str {
        self.pick("dependencies", "wisp_dependencies")
    }

    /// Their labels.
    pub fn labels(self) -> &'static str {
        self.pick("labels", "wisp_labels")
    }

    /// Their comments.
    pub fn comments(self) -> &'static str {
        self.pick("comments", "wisp_comments")
    }

    /// Their events.
    pub fn events(self) -> &'static str {
        self.pick("events", "wisp_events")
    }

    /// The last numbers of their children.
    pub fn child_counters(self) -> &'static str {
        self.pick("child_counters", "wisp_child_counters")
    }
}

/// Whether a table is local to a clone: `dolt_ignore` names it, and a fresh clone lacks it.
pub fn is_local(table: &str) -> bool {
    table.starts_with("wisp")
        || matches!(table, "local_metadata" | "repo_mtimes" | "ignored_schema_migrations")
}
