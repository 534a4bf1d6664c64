//! Which foreign keys a change of a table's rows has to look at, and in the changes that it leads to: a graph of tables, as
//! go-mysql-server builds it for a statement (`sql/analyzer/apply_foreign_keys.go`). Two things depend on its shape alone: an
//! `ON UPDATE` that comes back to a table on its way is a restriction, and a way that comes back to itself may be one step less
//! deep than one that does not.

use std::rc::Rc;

use crate::table::{ForeignKey, ReferenceOption};

/// What is about to happen to a row of the first table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is added.
    Insert,
    /// It goes.
    Delete,
    /// It is changed, or whatever else a statement that may change it does.
    Update,
}

/// The graph of one statement. Its first node is where it begins.
#[derive(Debug, Default)]
pub(super) struct Plan {
    nodes: Vec<Node>,
    first: usize,
    // The nodes that are found again, by table.
    known: Vec<(String, usize)>,
}

/// What a change of a row of one table leads to.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// The keys of which the row is a child.
    pub(super) references: Vec<Rc<ForeignKey>>,
    /// The keys of which it is a parent.
    pub(super) actions: Vec<Action>,
    /// Whether its actions lead back to it.
    pub(super) is_cyclical: bool,
}

/// What a key makes of a change of the parent.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) key: Rc<ForeignKey>,
    /// On a change; may be stricter than the key says.
    pub(super) on_update: ReferenceOption,
    /// What the change of the child leads to.
    pub(super) then: usize,
}

// The tables and keys on the way.
#[derive(Debug, Clone, Default)]
struct Way {
    tables: Vec<String>,
    keys: Vec<String>,
}

impl Plan {
    /// What has to be looked at when something happens to a row of this table. Keys are sorted by name.
    pub(super) fn of(keys: &[Rc<ForeignKey>], table: &str, kind: Kind) -> Self {
        let mut plan = Self::default();
        let way = Way::default();
        let first = match kind {
            Kind::Insert => plan.references(keys, table, &way),
            Kind::Delete => plan.actions(keys, table, &way, None),
            Kind::Update => plan.node_of(keys, table, &way),
        };
        plan.first = first.unwrap_or_else(|| plan.add(Node::default()));
        plan
    }

    /// The node where it begins.
    pub(super) fn first(&self) -> &Node {
        self.node(self.first)
    }

    /// All keys that it looks at; some more than once.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Rc<ForeignKey>> {
        self.nodes.iter().flat_map(|node| node.references.iter().chain(node.actions.iter().map(|a| &a.key)))
    }

    /// A node.
    pub(super) fn node(&self, at: usize) -> &Node {
        // Of none that is not there: nothing to do.
        const NOTHING: &Node = &Node { references: Vec::new(), actions: Vec::new(), is_cyclical: false };
        self.nodes.get(at).unwrap_or(NOTHING)
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len().saturating_sub(1)
    }

    fn node_of(&mut self, keys: &[Rc<ForeignKey>], table: &str, way: &Way) -> Option<usize> {
        let node = self.references(keys, table, way);
        self.actions(keys, table, way, node)
    }

    // The keys that a table declares. Those on the way hold already: their parent has just been changed.
    fn references(&mut self, keys: &[Rc<ForeignKey>], table: &str, way: &Way) -> Option<usize> {
        let is_mine = |key: &&Rc<ForeignKey>| same(&key.child_table, table) && !has(&way.keys, &key.name);
        let references: Vec<_> = keys.iter().filter(is_mine).cloned().collect();
        (!references.is_empty()).then(|| self.add(Node { references, ..Node::default() }))
    }

    // The keys that refer to a table.
    fn actions(
        &mut self,
        keys: &[Rc<ForeignKey>],
        table: &str,
        way: &Way,
        node: Option<usize>,
    ) -> Option<usize> {
        let mine: Vec<_> = keys.iter().filter(|key| same(&key.parent_table, table)).cloned().collect();
        if mine.is_empty() {
            return node;
        }
        let references = node.map_or(0, |at| self.node(at).references.len());
        let is_alike = |(name, at): &&(String, usize)| {
            same(name, table) && self.node(*at).references.len() == references
        };
        if let Some(at) = self.known.iter().find(is_alike).map(|(_, at)| *at) {
            if let Some(known) = self.nodes.get_mut(at) {
                known.is_cyclical = true;
            }
            return Some(at);
        }
        let at = node.unwrap_or_else(|| self.add(Node::default()));
        self.known.push((table.to_owned(), at));
        let mut way = way.clone();
        way.tables.push(table.to_owned());
        for key in mine {
            let mut further = way.clone();
            further.keys.push(key.name.clone());
            let child = self.node_of(keys, &key.child_table, &further);
            let then = child.unwrap_or_else(|| self.add(Node::default()));
            let leads_back = self.node(then).is_cyclical;
            let on_update =
                if has(&way.tables, &key.child_table) { ReferenceOption::Restrict } else { key.on_update };
            if let Some(node) = self.nodes.get_mut(at) {
                node.is_cyclical |= leads_back;
                node.actions.push(Action { key, on_update, then });
            }
        }
        Some(at)
    }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|n| same(n, name))
}
