//! A case: tables and steps, made of a seed; run once through the real Dolt by SQL and once natively on a copy of the same
//! database, and held against each other after every step.

use std::fmt;

use super::ours::Ours;
use super::outcome::{Did, Tally};
use super::plan::{Act, Given, Plan, State};
use super::random::Random;
use super::rules::Rule;
use super::schema::Table;
use super::steps::{Define, Step};
use super::theirs::Server;

/// What is done.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) tables: Vec<Table>,
    pub(super) steps: Vec<Step>,
}

/// 2026-01-02 03:04:05.678901 UTC, when the first step is done; each takes a little more than a second.
const BEGUN: i64 = 1_767_323_045_678_901;
const A_STEP: i64 = 1_000_003;

/// Where both differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// The number of the step; `None`: at the end.
    pub(super) step: Option<usize>,
    pub(super) what: String,
    /// The statements that Dolt was given, from the first.
    pub(super) script: Vec<String>,
}

impl Case {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Random::of(seed);
        let mut of_schema = random.fork();
        let mut tables: Vec<Table> = Vec::new();
        for _ in 0..=of_schema.below(3) {
            tables.push(Table::any(&mut of_schema, &tables));
        }
        for _ in 0..of_schema.below(3) {
            let table = Table::any(&mut of_schema, &tables);
            tables.push(Table { late: true, ..table });
        }
        let count = 8 + random.below(40);
        let mut steps: Vec<Step> = (0..count).map(|n| Step::any(&tables, n, &mut random)).collect();
        for table in (0..tables.len()).filter(|t| tables[*t].late) {
            steps.insert(random.below(count / 2), Step::Define(Define::CreateTable { table }));
        }
        if random.one_in(4) {
            steps.insert(0, Step::fill(&tables, 0, true, &mut random));
        }
        Self { tables, steps }
    }

    /// Runs it.
    pub(super) fn run(&self, server: &mut Server) -> Result<Tally, Difference> {
        let mut theirs = server.database();
        let mut tally = Tally { cases: 1, ..Tally::default() };
        let fails =
            |step, what: String, script: &[String]| Difference { step, what, script: script.to_vec() };
        for table in self.tables.iter().filter(|table| !table.late) {
            theirs.create(table, &self.tables);
        }
        let mut ours = Ours::copy_of(&theirs);
        for (n, step) in self.steps.iter().enumerate() {
            let now = BEGUN + A_STEP * i64::try_from(n).unwrap();
            let state = match ours.now(step, &self.tables) {
                Ok(state) => state,
                Err(what) => return Err(fails(Some(n), what, theirs.script())),
            };
            let plan = Plan::of(step, &self.tables, &state);
            tally.steps += 1;
            let did = match ours.run(&plan, &self.tables, &state, now) {
                Ok(did) => did,
                Err(what) => {
                    // What Dolt would have been asked is worth seeing.
                    let did = [Did::Done(super::outcome::Effect::default())];
                    theirs.run(&plan, &self.tables, &state, now, &did);
                    return Err(fails(Some(n), what, theirs.script()));
                }
            };
            let told = theirs.run(&plan, &self.tables, &state, now, &did);
            if let Plan::Reopen { collect } = plan {
                ours.reopen(&theirs, collect);
            }
            let mut forgets = !matches!(plan, Plan::Each(_) | Plan::All(_));
            for (at, (did, told)) in did.iter().zip(&told).enumerate() {
                let judged = tally.judge(self.name(&plan, at), &|| shown(&plan, at), did, told.as_ref());
                match judged {
                    Ok(true) => self.note(&mut tally, &plan, at, &state),
                    Ok(false) => {}
                    Err(what) => return Err(fails(Some(n), what, theirs.script())),
                }
                forgets |= !matches!(told, Some(Ok(1..)));
            }
            if let Err(what) = ours.compare() {
                return Err(fails(Some(n), what, theirs.script()));
            }
            if forgets && self.tables.iter().any(Table::counts) {
                theirs.forget();
                ours.look_again(&theirs);
            }
        }
        ours.is_whole(&theirs).map_err(|what| fails(None, what, theirs.script()))?;
        Ok(tally)
    }

    fn name(&self, plan: &Plan, at: usize) -> &'static str {
        let Plan::Each(changes) = plan else { return plan.name() };
        let is_own = self.tables[changes[at].table].refers_to_itself(changes[at].table);
        match (&changes[at].act, is_own) {
            (Act::Insert(_), false) => "insert",
            (Act::Insert(_), true) => "insert, referring to itself",
            (Act::Upsert(..), _) => "upsert",
            (Act::Replace(_), _) => "replace",
            (Act::Delete(_), false) => "delete",
            (Act::Delete(_), true) => "delete, referring to itself",
            (Act::Update(..), false) => "update",
            (Act::Update(..), true) => "update, referring to itself",
        }
    }

    // What a change that both took was about.
    fn note(&self, tally: &mut Tally, plan: &Plan, at: usize, state: &State) {
        let added = |given: &Given, table: usize, tally: &mut Tally| {
            let (of, there) = (&self.tables[table], &state.tables[table]);
            let is_open = |c: &usize| there.has(*c, of) && !given.iter().any(|(other, _)| other == c);
            for c in (0..of.columns.len()).filter(is_open).filter(|c| of.columns[*c].rule != Rule::None) {
                *tally.rules.entry(of.columns[c].rule.name()).or_default() += 1;
            }
            if of.checks.iter().any(|check| check.enforced) {
                *tally.rules.entry("a check").or_default() += 1;
            }
        };
        let changes = match plan {
            Plan::Each(changes) => std::slice::from_ref(&changes[at]),
            Plan::All(changes) => changes,
            Plan::Commit { .. } => {
                tally.commits += 1;
                return;
            }
            _ => return,
        };
        for change in changes {
            tally.rows += 1;
            match &change.act {
                Act::Insert(given) | Act::Upsert(given, _) | Act::Replace(given) => {
                    added(given, change.table, tally);
                }
                Act::Update(_, to) => {
                    let of = &self.tables[change.table];
                    let by_itself =
                        |c: &super::schema::Column| matches!(c.rule, Rule::Now { on_update: true, .. });
                    let is_open = |c: usize| !to.iter().any(|(other, _)| *other == c);
                    if (0..of.columns.len()).any(|c| by_itself(&of.columns[c]) && is_open(c)) {
                        *tally.rules.entry("on update").or_default() += 1;
                    }
                }
                Act::Delete(_) => {}
            }
        }
    }
}

// A change, for whoever reads of a difference.
fn shown(plan: &Plan, at: usize) -> String {
    match plan {
        Plan::Each(changes) => changes[at].shown(),
        Plan::All(changes) => {
            let like = changes.first().map(super::plan::RowChange::shown).unwrap_or_default();
            format!("{} changes like {like}", changes.len())
        }
        plan => format!("{plan:?}"),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(n) => writeln!(f, "after step {n}: {}", self.what)?,
            None => writeln!(f, "at the end: {}", self.what)?,
        }
        for statement in &self.script {
            let shown: String = statement.chars().take(3000).collect();
            writeln!(f, "  {shown};")?;
        }
        Ok(())
    }
}
