//! The words of one command, drawn at random among what both programs know.
//!
//! What could go wrong is that nearly everything is refused. So ids are drawn from few, which are mostly there.

use super::plan::Mode;
use crate::differential::Random;

const TEXTS: [&str; 7] = [
    "plain",
    "two\nlines & <tags> \"quoted\"",
    "é 😀 \\ 'single' % _",
    "",
    "tab\there",
    "- looks like a flag",
    "a longer one, with commas, and a full stop at the end of it.",
];
const LABELS: [&str; 6] = ["backend", "ui", "a b", "Ünï", "x:y", "urgent,late"];
const PEOPLE: [&str; 4] = ["me", "ada", "rig/polecats/toast", ""];
const TYPES: [&str; 8] = ["bug", "feature", "task", "epic", "chore", "decision", "feat", "nonsense"];
const STATUSES: [&str; 9] =
    ["open", "in_progress", "blocked", "deferred", "closed", "pinned", "hooked", "open", "nonsense"];
const PRIORITIES: [&str; 8] = ["0", "1", "2", "3", "4", "P1", "7", "high"];
const KINDS: [&str; 13] = [
    "blocks",
    "blocks",
    "blocks",
    "parent-child",
    "parent-child",
    "waits-for",
    "conditional-blocks",
    "related",
    "discovered-from",
    "tracks",
    "relates-to",
    "supersedes",
    "own-kind",
];
/// Far enough from now that no clock matters.
const TIMES: [&str; 4] = ["2999-01-01", "2001-02-03", "2999-06-07T08:09:10Z", ""];

/// Ids that commands of one sequence are drawn from.
const KNOWN: usize = 10;

/// What is known of a database while commands for it are drawn.
pub(super) struct Maker {
    mode: Mode,
    // Whether a server is ever up.
    is_served: bool,
    random: Random,
    ids: Vec<String>,
    // Those that are not to be imported, see `lines`.
    spared: Vec<String>,
    // Those that have had children.
    parents: Vec<String>,
    made: usize,
}

impl Maker {
    pub(super) fn of(mode: Mode, is_served: bool, random: Random) -> Self {
        Self { mode, is_served, random, ids: Vec::new(), spared: Vec::new(), parents: Vec::new(), made: 0 }
    }

    /// Forgets some ids, so that the next commands meet each other.
    pub(super) fn forget(&mut self) {
        while self.ids.len() > KNOWN {
            let at = self.random.below(self.ids.len());
            self.ids.remove(at);
        }
    }

    fn pick(&mut self, of: &[&str]) -> String {
        (*self.random.pick(of)).to_owned()
    }

    /// An id, mostly of something that was made.
    fn id(&mut self) -> String {
        if self.ids.is_empty() || self.random.one_in(40) {
            return "x-none".to_owned();
        }
        self.random.pick(&self.ids).clone()
    }

    /// An id at which a new edge begins. Through a server bd holds an edge of a wisp to fewer rules than without one: it may begin
    /// and end at one issue, end nowhere, and stand between an epic and a task.
    fn source(&mut self) -> String {
        loop {
            let id = self.id();
            if self.may_begin(&id) {
                return id;
            }
        }
    }

    /// An id that is to become an issue: bd then forgets how many children the wisp has had, and counts those that are left.
    fn childless(&mut self) -> String {
        loop {
            let id = self.id();
            if self.mode == Mode::Together || !self.parents.contains(&id) {
                return id;
            }
        }
    }

    fn may_begin(&self, id: &String) -> bool {
        self.mode == Mode::Together || !self.is_served || !self.spared.contains(id)
    }

    /// A command, and what it reads.
    pub(super) fn any(&mut self) -> (Vec<String>, Option<String>) {
        let words = match self.random.below(44) {
            0..=3 => self.create(),
            4..=9 => self.update(),
            10..=12 => self.close(),
            13 => self.reopen(),
            14..=18 => self.add_edge(),
            19..=20 => vec!["dep".into(), "remove".into(), self.id(), self.id()],
            21..=22 => {
                let verb = self.pick(&["add", "remove"]);
                vec!["label".into(), verb, self.id(), self.pick(&LABELS[..5])]
            }
            23 => vec!["comment".into(), self.id(), self.pick(&TEXTS)],
            24 => {
                let mut words = vec!["delete".into(), self.id()];
                let how = self.pick(&["--force", "--force", "--cascade", "--dry-run"]);
                if how == "--cascade" {
                    words.push("--force".into());
                }
                words.push(how);
                words
            }
            25 => {
                let mut words = vec!["defer".into(), self.id()];
                if self.random.one_in(2) {
                    words.extend(["--until".into(), "2999-01-01".into()]);
                }
                if self.random.one_in(3) {
                    words.extend(["--reason".into(), "not now".into()]);
                }
                words
            }
            26 => vec!["undefer".into(), self.id()],
            27 => vec!["promote".into(), self.childless()],
            28 => vec!["assign".into(), self.id(), self.pick(&PEOPLE)],
            29 => vec!["priority".into(), self.id(), self.pick(&PRIORITIES)],
            30 => vec!["note".into(), self.id(), self.pick(&TEXTS[..3])],
            31 => vec!["tag".into(), self.id(), self.pick(&LABELS[..5])],
            32..=36 => self.link(),
            37 => {
                let value = self.pick(&["active", "muted"]);
                let id = self.id();
                self.parents.push(id.clone());
                let mut words = vec!["set-state".into(), id, format!("patrol={value}")];
                self.maybe(&mut words, 2, "--reason", &["a look"]);
                words
            }
            38 => self.setting(),
            39 => {
                let how = self.pick(&["--force", "--dry-run", "--pattern=x-1*"]);
                vec!["purge".into(), how]
            }
            40 => {
                let lines = self.batch();
                return (vec!["batch".into(), "--json".into()], Some(lines));
            }
            _ => {
                let lines = self.lines();
                return (vec!["import".into(), "-".into(), "--json".into()], Some(lines));
            }
        };
        let mut words = words;
        words.push("--json".into());
        (words, None)
    }

    // A flag once in so many times.
    fn maybe(&mut self, words: &mut Vec<String>, times: usize, flag: &str, of: &[&str]) {
        if self.random.one_in(times) {
            let value = self.pick(of);
            words.push(format!("{flag}={value}"));
        }
    }

    /// An issue.
    pub(super) fn create(&mut self) -> Vec<String> {
        let is_child = !self.ids.is_empty() && self.random.one_in(5);
        self.made += 1;
        let more = self.pick(&["", "<b>", "é", "of many words"]);
        let title = format!("Issue {} {more}", self.made);
        let mut words = vec!["create".to_owned(), title, "--json".to_owned()];
        if is_child {
            let parent = self.random.pick(&self.ids).clone();
            words.push(format!("--parent={parent}"));
            self.parents.push(parent.clone());
            let own = format!("{parent}.");
            let before = self.ids.iter().filter(|id| id.starts_with(&own)).count();
            self.ids.push(format!("{own}{}", before + 1));
        } else {
            let id = format!("x-{}", self.made);
            words.push(format!("--id={id}"));
            self.ids.push(id);
        }
        self.maybe(&mut words, 2, "--priority", &PRIORITIES[..6]);
        self.maybe(&mut words, 3, "--type", &TYPES[..7]);
        self.maybe(&mut words, 4, "--assignee", &PEOPLE);
        self.texts(&mut words, 6);
        self.maybe(&mut words, 3, "--labels", &LABELS);
        self.maybe(&mut words, 8, "--estimate", &["30", "0"]);
        self.maybe(&mut words, 8, "--due", &TIMES[..3]);
        self.maybe(&mut words, 8, "--defer", &TIMES[..3]);
        self.maybe(&mut words, 8, "--metadata", &[r#"{"k":"v","n":[1,2.50,null]}"#, "{}"]);
        self.maybe(&mut words, 12, "--mol-type", &["swarm", "work"]);
        // A child that is refused has used up a number of bd's.
        let may_be_wrong = self.mode == Mode::Together || !is_child;
        if may_be_wrong && self.random.one_in(15) {
            let wrong = [
                "--type=nonsense",
                "--estimate=-5",
                "--metadata=[1]",
                "--metadata={bad",
                "--mol-type=nonsense",
            ];
            words.push(self.pick(&wrong));
        }
        if self.random.one_in(6) {
            words.push("--ephemeral".into());
            self.spared.extend(self.ids.last().cloned());
            self.maybe(&mut words, 2, "--wisp-type", &["patrol"]);
            if may_be_wrong {
                self.maybe(&mut words, 12, "--wisp-type", &["nonsense"]);
            }
        } else if self.random.one_in(15) {
            words.push("--no-history".into());
            self.spared.extend(self.ids.last().cloned());
        }
        let is_source = self.ids.last().is_some_and(|id| self.may_begin(id));
        if is_source && self.random.one_in(4) {
            // A kind, or a gate, that bd does not know leaves an issue without its edges behind; ours makes neither.
            // `blocks:X` is an edge that begins at X.
            let (kind, target) = (self.pick(&KINDS[..12]), self.source());
            words.push(if self.random.one_in(3) {
                format!("--deps={target}")
            } else {
                format!("--deps={kind}:{target}")
            });
        }
        if is_source && self.random.one_in(12) {
            let target = self.id();
            words.push(format!("--waits-for={target}"));
            self.maybe(&mut words, 2, "--waits-for-gate", &["any-children", "all-children"]);
        }
        words
    }

    fn texts(&mut self, words: &mut Vec<String>, times: usize) {
        for flag in ["--description", "--design", "--acceptance", "--notes", "--append-notes"] {
            self.maybe(words, times, flag, &TEXTS);
        }
        self.maybe(words, times * 2, "--external-ref", &["gh-9", "jira-A", ""]);
        self.maybe(words, times * 2, "--spec-id", &["S1", ""]);
    }

    fn update(&mut self) -> Vec<String> {
        let mut words = vec!["update".to_owned(), self.id()];
        if self.random.one_in(8) {
            let id = self.id();
            words.push(id);
        }
        if self.random.one_in(4) {
            words.push("--claim".into());
            return words;
        }
        self.maybe(&mut words, 2, "--status", &STATUSES[..8]);
        self.maybe(&mut words, 25, "--status", &STATUSES[8..]);
        self.maybe(&mut words, 5, "--priority", &PRIORITIES);
        self.maybe(&mut words, 8, "--title", &["New title", "", "é <b>"]);
        self.maybe(&mut words, 8, "--type", &TYPES);
        self.maybe(&mut words, 6, "--assignee", &PEOPLE);
        self.texts(&mut words, 8);
        self.maybe(&mut words, 6, "--add-label", &LABELS);
        self.maybe(&mut words, 6, "--remove-label", &LABELS);
        self.maybe(&mut words, 10, "--set-labels", &LABELS);
        self.maybe(&mut words, 12, "--due", &TIMES);
        self.maybe(&mut words, 12, "--defer", &TIMES);
        self.maybe(&mut words, 12, "--estimate", &["15", "0"]);
        self.maybe(&mut words, 10, "--set-metadata", &["k=1", "team=x y", "bad", "n=null"]);
        self.maybe(&mut words, 15, "--unset-metadata", &["k", "none"]);
        if self.random.one_in(8) && words[1..].iter().all(|id| self.may_begin(id)) {
            let parent = if self.random.one_in(3) { String::new() } else { self.id() };
            words.push(format!("--parent={parent}"));
        }
        words
    }

    fn close(&mut self) -> Vec<String> {
        let mut words = vec!["close".to_owned(), self.id()];
        if self.random.one_in(4) {
            let id = self.id();
            words.push(id);
        }
        self.maybe(&mut words, 2, "--reason", &["done", "é <b>", "failed: it broke", "won't fix"]);
        if self.random.one_in(2) {
            words.push("--force".into());
        }
        if self.random.one_in(5) {
            // What is taken next hangs on seconds, which are others in another database.
            let most = if self.mode == Mode::Together { 3 } else { 2 };
            words.push(self.pick(&["--continue", "--suggest-next", "--claim-next"][..most]));
        }
        words
    }

    /// Edges with a verb of their own.
    fn link(&mut self) -> Vec<String> {
        let (one, other) = (self.source(), self.source());
        match self.random.below(6) {
            0 => {
                let mut words = vec!["link".into(), one, other];
                self.maybe(&mut words, 2, "--type", &KINDS);
                words
            }
            1 => vec!["duplicate".into(), one, format!("--of={other}")],
            2 => vec!["supersede".into(), one, format!("--with={other}")],
            // If only one of its two edges is refused, bd leaves the other.
            3 if self.mode == Mode::Together => vec!["dep".into(), "relate".into(), one, other],
            3 | 4 => vec!["dep".into(), "unrelate".into(), one, other],
            _ => vec!["epic".into(), "close-eligible".into()],
        }
    }

    fn setting(&mut self) -> Vec<String> {
        let (key, value) = (self.pick(&["team", "area.name"]), self.pick(&["core", "two words", "é"]));
        match self.random.below(4) {
            0 => vec!["config".into(), "set".into(), format!("custom.{key}"), value],
            1 => vec!["config".into(), "unset".into(), format!("custom.{key}")],
            2 => vec!["kv".into(), "set".into(), key, value],
            _ => vec!["remember".into(), value, format!("--key={key}")],
        }
    }

    /// Lines of a batch: mostly such as can be done, because one that cannot undoes them all.
    fn batch(&mut self) -> String {
        let mut lines = vec!["# a few".to_owned()];
        for _ in 0..=self.random.below(3) {
            let (one, other) = (self.id(), self.id());
            lines.push(match self.random.below(5) {
                0 => format!("close {one} all done"),
                1 => format!("update {one} priority={} assignee=ada", self.random.below(6)),
                2 => format!("update {one} status={}", self.pick(&STATUSES[..4])),
                3 => format!("dep add {one} {other} {}", self.pick(&KINDS[..8])),
                _ => format!("dep remove {one} {other}"),
            });
        }
        lines.join("\n")
    }

    fn reopen(&mut self) -> Vec<String> {
        let mut words = vec!["reopen".to_owned(), self.id()];
        self.maybe(&mut words, 2, "--reason", &["not yet"]);
        words
    }

    fn add_edge(&mut self) -> Vec<String> {
        let target = if self.random.one_in(12) { "external:other:thing".to_owned() } else { self.id() };
        let mut words = vec!["dep".to_owned(), "add".to_owned(), self.source(), target];
        self.maybe(&mut words, 1, "--type", &KINDS);
        words
    }

    /// A few lines of an import; the times are older or newer than anything that is stored. Not of wisps: bd puts a second row
    /// of that id beside them; and not of children, whose parents may be gone: bd fails at a foreign key.
    fn lines(&mut self) -> String {
        let (mut text, mut named) = (String::new(), Vec::new());
        for _ in 0..=self.random.below(3) {
            let id = if self.random.one_in(2) {
                self.made += 1;
                let id = format!("x-{}", self.made);
                self.ids.push(id.clone());
                id
            } else {
                let id = self.id();
                if id.contains('.') || self.spared.contains(&id) {
                    continue;
                }
                id
            };
            // Of two lines with one id, the second older, bd writes the first and says that both were skipped.
            if named.contains(&id) {
                continue;
            }
            named.push(id.clone());
            let mut line = serde_json::json!({
                "id": id,
                "title": format!("Imported {}", self.made),
                "priority": self.random.below(5),
                "issue_type": self.pick(&TYPES[..6]),
                "created_at": "2001-01-01T00:00:00Z",
                "updated_at": self.pick(&["2001-01-02T03:04:05Z", "2999-01-02T03:04:05Z"]),
            });
            let status = self.pick(&STATUSES[..5]);
            if status == "closed" {
                line["closed_at"] = "2002-01-01T00:00:00Z".into();
            }
            line["status"] = status.into();
            if self.random.one_in(3) {
                line["labels"] = serde_json::json!([self.pick(&LABELS[..5]), "imported"]);
            }
            if self.random.one_in(3) {
                let (target, kind) = (self.id(), self.pick(&KINDS[..8]));
                line["dependencies"] = serde_json::json!([{
                    "issue_id": id, "depends_on_id": target, "type": kind, "created_at": "2001-01-01T00:00:00Z", "created_by": "ada",
                }]);
            }
            if self.random.one_in(4) {
                line["comments"] = serde_json::json!([{
                    "issue_id": id, "author": "ada", "text": self.pick(&TEXTS[..3]), "created_at": "2001-01-01T00:00:00Z",
                }]);
            }
            text.push_str(&line.to_string());
            text.push('\n');
        }
        text
    }
}
