//! A case: tables and steps, made of a seed; run once through the real Dolt by SQL and once natively on a copy of the same
//! database, and held against each other after every step.

use std::fmt;

use super::ours::Ours;
use super::plan::Plan;
use super::random::Random;
use super::schema::Table;
use super::steps::Step;
use super::theirs::Server;

/// What is done.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) tables: Vec<Table>,
    pub(super) steps: Vec<Step>,
}

/// What was done, for whoever wants to know that it was something.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Done {
    pub(super) steps: usize,
    pub(super) accepted: usize,
    pub(super) refused: usize,
    pub(super) rows: usize,
    pub(super) commits: usize,
}

/// Where both differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// The number of the step; `None`: at the end.
    pub(super) step: Option<usize>,
    pub(super) what: String,
    /// The statements that Dolt was given, from the first.
    pub(super) script: Vec<String>,
}

impl Done {
    pub(super) fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.rows += other.rows;
        self.commits += other.commits;
    }
}

impl Case {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Random::of(seed);
        let mut of_schema = random.fork();
        let mut tables: Vec<Table> = Vec::new();
        for _ in 0..=of_schema.below(3) {
            tables.push(Table::any(&mut of_schema, &tables));
        }
        let count = 8 + random.below(40);
        let steps = (0..count).map(|n| Step::any(&tables, n, &mut random)).collect();
        Self { tables, steps }
    }

    /// Runs it.
    pub(super) fn run(&self, server: &mut Server) -> Result<Done, Difference> {
        let mut theirs = server.database();
        let mut done = Done::default();
        let fails =
            |step, what: String, script: &[String]| Difference { step, what, script: script.to_vec() };
        let mut tables: Vec<Table> = Vec::new();
        for table in &self.tables {
            tables.push(theirs.create(table, &tables));
        }
        let mut ours = Ours::copy_of(&theirs);
        for (n, step) in self.steps.iter().enumerate() {
            let plan = match ours.plan(step, &tables) {
                Ok(plan) => plan,
                Err(what) => return Err(fails(Some(n), what, theirs.script())),
            };
            done.steps += 1;
            let told = theirs.run(&plan, &tables);
            if let Plan::Reopen { collect } = plan {
                ours.reopen(&theirs, collect);
            }
            let checked = ours.run(&plan, &tables, &told, &mut done).and_then(|()| ours.compare());
            if let Err(what) = checked {
                return Err(fails(Some(n), what, theirs.script()));
            }
        }
        ours.is_whole(&theirs).map_err(|what| fails(None, what, theirs.script()))?;
        Ok(done)
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
