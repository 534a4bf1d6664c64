//! Words of an issue: status, type, and the small vocabularies of molecules, wisps and work. A store may hold words that are
//! not known here; whether they are allowed is a question of validation, not of reading.

use crate::words::words;

words! {
    /// The state of an issue (bd `internal/types`: `Status`). `Blocked` is a word that somebody stored; whether work waits
    /// for other work is said by [`crate::Graph`].
    Status {
        /// Waits to be taken.
        Open = "open",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// Stored by hand.
        Blocked = "blocked",
        /// Put on ice.
        Deferred = "deferred",
        /// Done.
        Closed = "closed",
        /// Stays for ever; blocks nothing.
        Pinned = "pinned",
        /// On a worker's hook.
        Hooked = "hooked",
    }
}

/// How a status behaves in views (bd `internal/types`: `StatusCategory`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Work that may be taken.
    Active,
    /// Under way; not ready.
    Wip,
    /// Finished; not in the default list.
    Done,
    /// Put away; not in the default list.
    Frozen,
    /// A custom status without a category: listed, not ready.
    Unspecified,
}

impl Category {
    /// The word that `status.custom` and `bd statuses` use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Wip => "wip",
            Self::Done => "done",
            Self::Frozen => "frozen",
            Self::Unspecified => "unspecified",
        }
    }
}

impl Status {
    /// The seven built-in ones.
    pub const BUILT_IN: [Self; 7] = [
        Self::Open,
        Self::InProgress,
        Self::Blocked,
        Self::Deferred,
        Self::Closed,
        Self::Pinned,
        Self::Hooked,
    ];

    /// Whether this is one of the seven.
    pub fn is_built_in(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Neither closed nor pinned: such an issue can be blocked, and blocks others (bd `issueops/blocked_state.go`).
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::Closed | Self::Pinned)
    }

    /// The category of a built-in status (bd `BuiltInStatusCategory`); `Unspecified` for others.
    pub fn category(&self) -> Category {
        match self {
            Self::Open => Category::Active,
            Self::InProgress | Self::Blocked | Self::Hooked => Category::Wip,
            Self::Closed => Category::Done,
            Self::Deferred | Self::Pinned => Category::Frozen,
            Self::Other(_) => Category::Unspecified,
        }
    }
}

words! {
    /// The kind of work (bd `internal/types`: `IssueType`).
    IssueType {
        /// A fault.
        Bug = "bug",
        /// Something new.
        Feature = "feature",
        /// Plain work; the default.
        Task = "task",
        /// Holds children.
        Epic = "epic",
        /// Upkeep.
        Chore = "chore",
        /// Something decided.
        Decision = "decision",
        /// Mail between agents; an infra type.
        Message = "message",
        /// A swarm's molecule.
        Molecule = "molecule",
        /// Waits for something outside.
        Gate = "gate",
        /// A timeboxed look.
        Spike = "spike",
        /// A user's story.
        Story = "story",
        /// Marks completion.
        Milestone = "milestone",
        /// bd's own audit trail.
        Event = "event",
    }
}

impl IssueType {
    /// Valid without configuration, in every place (bd `IssueType.IsValid`): all known words but `event`.
    pub fn is_core(&self) -> bool {
        !matches!(self, Self::Event | Self::Other(_))
    }

    /// Valid for a stored issue without configuration (bd `IsBuiltIn`): core, and `event`.
    pub fn is_built_in(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// The canonical word for an alias such as `feat` or `user-story`, in any case; others stay as they are
    /// (bd `IssueType.Normalize`).
    #[must_use]
    pub fn normalized(self) -> Self {
        match crate::text::lower(self.as_str()).as_str() {
            "enhancement" | "feat" => Self::Feature,
            "dec" | "adr" => Self::Decision,
            "investigation" | "timebox" => Self::Spike,
            "user-story" | "user_story" => Self::Story,
            "ms" => Self::Milestone,
            _ => self,
        }
    }

    /// As filters on the command line take a type; not the same aliases as [`Self::normalized`]
    /// (bd `internal/utils/strings.go`).
    #[must_use]
    pub fn normalized_for_filter(self) -> Self {
        match crate::text::lower(self.as_str()).as_str() {
            "mr" => Self::from("merge-request"),
            "mol" => Self::Molecule,
            "enhancement" | "feat" => Self::Feature,
            "dec" | "adr" => Self::Decision,
            _ => self,
        }
    }
}

/// Types whose issues become wisps unless `types.infra` says otherwise (bd `domain/infra_types.go`). `rig` left in 1.1.0.
pub const INFRA_TYPES: [&str; 3] = ["agent", "role", "message"];

/// Whether a molecule type is valid: empty means `work` (bd `MolType.IsValid`).
pub fn is_mol_type(word: &str) -> bool {
    matches!(word, "" | "swarm" | "patrol" | "work")
}

/// Whether a wisp type is valid; each has a time to live of its own (bd `WispType.IsValid`).
pub fn is_wisp_type(word: &str) -> bool {
    matches!(word, "" | "heartbeat" | "ping" | "patrol" | "gc_report" | "recovery" | "error" | "escalation")
}

/// Whether a work type is valid: empty means `mutex` (bd `WorkType.IsValid`).
pub fn is_work_type(word: &str) -> bool {
    matches!(word, "" | "mutex" | "open_competition")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_equal_exactly_if_their_texts_are() {
        for word in ["open", "closed", "", "weird", "Open"] {
            assert_eq!(Status::from(word).as_str(), word);
            assert_eq!(Status::from(word.to_owned()), Status::from(word));
        }
        assert!(Status::from("staged_ready").is_live() && !Status::Pinned.is_live());
        assert!(Status::BUILT_IN.iter().all(Status::is_built_in));
    }

    #[test]
    fn aliases_of_types_are_found_in_any_case() {
        assert_eq!(IssueType::from("FEAT").normalized(), IssueType::Feature);
        assert_eq!(IssueType::from("mol").normalized(), IssueType::from("mol"));
        assert_eq!(IssueType::from("MR").normalized_for_filter().as_str(), "merge-request");
        assert_eq!(IssueType::from("ms").normalized_for_filter().as_str(), "ms");
        assert!(IssueType::Event.is_built_in() && !IssueType::Event.is_core());
    }
}
