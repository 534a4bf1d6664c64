//! Reading issues from JSON as Go's decoder does: keys in any case, unknown keys dropped, the last of two equal keys wins, `null`
//! where there is nothing. Exports of old versions of bd are read by the same rules as in bd (numeric ids of comments, `proto_id`).

use std::fmt;

use jiff::Timestamp;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{BondRef, Comment, Issue};
use crate::edge::Edge;
use crate::when;

/// How one field takes the value of its key.
trait Take: Sized {
    fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error>;
}

/// `null` leaves what was there, as Go does for anything that is no pointer.
fn plain<'de, T: Deserialize<'de>, A: MapAccess<'de>>(field: &mut T, map: &mut A) -> Result<(), A::Error> {
    if let Some(value) = map.next_value::<Option<T>>()? {
        *field = value;
    }
    Ok(())
}

macro_rules! take_plain {
    ($($plain:ty),+) => {
        $(impl Take for $plain {
            fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
                plain(self, map)
            }
        })+
    };
}

take_plain!(String, i64, bool, super::Status, super::IssueType, crate::EdgeType);

impl Take for Option<String> {
    fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        *self = map.next_value()?;
        Ok(())
    }
}

impl Take for Option<i64> {
    fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        *self = map.next_value()?;
        Ok(())
    }
}

/// Go's zero time is no time.
impl Take for Option<Timestamp> {
    fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        *self = match map.next_value::<Option<String>>()? {
            None => None,
            Some(text) => when::parse_rfc3339(&text).map(when::not_zero).map_err(A::Error::custom)?,
        };
        Ok(())
    }
}

/// `null` is a value of its own here.
impl Take for Option<super::Metadata> {
    fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        *self = Some(map.next_value()?);
        Ok(())
    }
}

/// A missing text in a list is an empty one.
impl Take for Vec<String> {
    fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let texts = map.next_value::<Option<Vec<Option<String>>>>()?;
        *self = texts.unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect();
        Ok(())
    }
}

macro_rules! take_list {
    ($($item:ty),+) => {
        $(impl Take for Vec<$item> {
            fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
                *self = map.next_value::<Option<_>>()?.unwrap_or_default();
                Ok(())
            }
        })+
    };
}

take_list!(Edge, Comment, BondRef);

/// An id that was a number before 1.0.
#[derive(Default)]
struct OldId(String);

impl Take for OldId {
    fn set_from<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        match map.next_value::<Value>()? {
            Value::String(text) => self.0 = text,
            Value::Number(number) => self.0 = number.to_string(),
            _ => {}
        }
        Ok(())
    }
}

/// A type that is read from an object, key by key.
trait Keyed: Default {
    /// Takes the value of a key; false if there is no such key.
    fn key<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error>;
}

macro_rules! keyed {
    ($type:ty: $($key:literal => $($field:ident).+),+ $(,)?) => {
        impl Keyed for $type {
            fn key<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
                $(if key.eq_ignore_ascii_case($key) {
                    return self.$($field).+.set_from(map).map(|()| true);
                })+
                Ok(false)
            }
        }
    };
}

keyed!(Issue:
    "id" => id, "title" => title, "description" => description, "design" => design,
    "acceptance_criteria" => acceptance_criteria, "notes" => notes, "spec_id" => spec_id, "status" => status,
    "priority" => priority, "issue_type" => issue_type, "assignee" => assignee, "owner" => owner,
    "estimated_minutes" => estimated_minutes, "created_at" => created_at, "created_by" => created_by,
    "updated_at" => updated_at, "started_at" => started_at, "closed_at" => closed_at, "close_reason" => close_reason,
    "closed_by_session" => closed_by_session, "due_at" => due_at, "defer_until" => defer_until,
    "external_ref" => external_ref, "source_system" => source_system, "metadata" => metadata,
    "compaction_level" => compaction_level, "compacted_at" => compacted_at,
    "compacted_at_commit" => compacted_at_commit, "original_size" => original_size, "labels" => labels,
    "dependencies" => dependencies, "comments" => comments, "sender" => sender, "ephemeral" => ephemeral,
    "no_history" => no_history, "wisp_type" => wisp_type, "pinned" => pinned, "is_template" => is_template,
    "bonded_from" => bonded_from, "await_type" => await_type, "await_id" => await_id, "timeout" => timeout,
    "waiters" => waiters, "source_formula" => source_formula, "source_location" => source_location,
    "mol_type" => mol_type, "work_type" => work_type, "event_kind" => event_kind, "actor" => actor,
    "target" => target, "payload" => payload,
);

keyed!(Edge:
    "issue_id" => issue_id, "depends_on_id" => depends_on_id, "type" => kind, "created_at" => created_at,
    "created_by" => created_by, "metadata" => metadata, "thread_id" => thread_id,
);

#[derive(Default)]
struct OldComment {
    id: OldId,
    comment: Comment,
}

keyed!(OldComment:
    "id" => id, "issue_id" => comment.issue_id, "author" => comment.author, "text" => comment.text,
    "created_at" => comment.created_at,
);

struct Fields<T>(T);

impl<'de, T: Keyed> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<T, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if !self.0.key(&key, &mut map)? {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(self.0)
    }

    /// `null` for a whole object is an empty one.
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(self.0)
    }
}

impl<'de> Deserialize<'de> for Issue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Fields(Self::default()))
    }
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(Self::default()))
    }
}

impl<'de> Deserialize<'de> for Comment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = deserializer.deserialize_map(Fields(OldComment::default()))?;
        Ok(Self { id: read.id.0, ..read.comment })
    }
}

#[derive(Default)]
struct OldBond {
    bond: BondRef,
    proto_id: String,
}

keyed!(OldBond:
    "source_id" => bond.source_id, "bond_type" => bond.bond_type, "bond_point" => bond.bond_point,
    "proto_id" => proto_id,
);

/// `proto_id` is what `source_id` was called before 0.63.
impl<'de> Deserialize<'de> for BondRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut read = deserializer.deserialize_map(Fields(OldBond::default()))?;
        if read.bond.source_id.is_empty() {
            read.bond.source_id = read.proto_id;
        }
        Ok(read.bond)
    }
}
