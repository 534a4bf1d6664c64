//! The message of a table (DTBL; Dolt `go/libraries/doltcore/doltdb/durable/table.go`).

use crate::Hash;
use crate::message::Builder;
use crate::table::schema::TableMessage;

impl TableMessage {
    /// The bytes of the message.
    pub(crate) fn message(&self) -> Vec<u8> {
        let none = Hash::NONE;
        let mut b = Builder::new();
        let schema = b.bytes(self.schema.as_bytes());
        let rows = b.bytes(&self.rows);
        let indexes = b.bytes(&self.indexes);
        // The table of conflicts is there even when there are none: four addresses of nothing.
        let conflicts: Vec<_> = (0..4).map(|_| b.bytes(none.as_bytes())).collect();
        b.begin();
        for (slot, address) in conflicts.into_iter().enumerate() {
            b.add(slot, address);
        }
        let conflicts = b.end();
        let violations = b.bytes(none.as_bytes());
        let artifacts = b.bytes(self.artifacts.as_bytes());
        b.begin();
        b.add(0, schema);
        b.add(1, rows);
        b.add(2, indexes);
        b.add_u64(3, self.auto_increment);
        b.add(4, conflicts);
        b.add(5, violations);
        b.add(6, artifacts);
        let root = b.end();
        b.finish(root, *b"DTBL")
    }
}
