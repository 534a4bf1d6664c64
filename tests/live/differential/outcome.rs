//! What became of a change: done, refused as Dolt refuses it, or refused although Dolt would do it. The last is allowed for the
//! reasons in a list and no others; whoever makes the list longer says that something is not written.

use std::collections::BTreeMap;

use dolt_store::Error;
use dolt_store::table::Violation;

/// What our side has done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Effect {
    /// How many rows the statement must say that it touched, if that is known.
    pub(super) touched: Option<u64>,
    /// Whether a row is another one now.
    pub(super) changed: bool,
}

/// What became of a change on our side.
#[derive(Debug)]
pub(super) enum Did {
    Done(Effect),
    /// Dolt has to refuse it, too.
    Refused(Error),
    /// Refused for one of [`OURS`], by its place: Dolt is not asked.
    NotOurs(usize),
}

/// What Dolt says to a statement: how many rows it touched, or why it refuses.
pub(super) type Told = Result<u64, String>;

/// What we refuse although Dolt may do it: how the refusal begins, and a word in it.
const OURS: [(&str, &str); 23] = [
    // Expressions of which versions or circumstances differ.
    ("table ", ": the default of column "),
    ("table ", ": the generated value of column "),
    ("table ", ": check "),
    ("table ", "comparing texts of "),
    // Rows that Dolt does not write well itself.
    ("table ", "the action of a foreign key on a table with an index of a virtual column"),
    ("table ", "an index of a virtual column"),
    // Definitions.
    ("foreign key ", " of columns that the generated column "),
    ("the default ", "no bytes at all"),
    ("the default ", "it has too many digits"),
    ("an index of table ", "beside several of the same columns"),
    ("table ", ": an index on the virtual column "),
    ("adding column ", "with more than a default"),
    ("table ", ": a new column that changes rows without a key"),
    ("table ", "without a default that cannot be NULL"),
    ("table ", "with NULL for its default"),
    ("table ", "with the default "),
    ("making table ", "which counts"),
    ("making table ", "has the expression "),
    ("dropping index ", "which serves foreign key "),
    ("dropping index ", "whose name foreign key "),
    ("the order of ", "among the rows of dolt_schemas"),
    // States.
    ("keeping table ", "beside columns of the same tags"),
    ("putting tables back while foreign keys have changed", ""),
];

impl Did {
    /// What has become of it. An error is one that no change should have.
    pub(super) fn of(done: dolt_store::Result<Effect>) -> Result<Self, String> {
        match done {
            Ok(effect) => Ok(Self::Done(effect)),
            Err(Error::NotSupported { what }) => {
                let is = |(start, word): &(&str, &str)| what.starts_with(start) && what.contains(word);
                let at = OURS.iter().position(is);
                at.map(Self::NotOurs)
                    .ok_or_else(|| format!("refused for a reason that is not in the list: {what}"))
            }
            Err(
                refused @ (Error::Violation { .. }
                | Error::RowTooLarge { .. }
                | Error::NoTable { .. }
                | Error::NoSuchColumn { .. }
                | Error::NameTaken { .. }
                | Error::TornForeignKey { .. }
                | Error::Definition { .. }),
            ) => Ok(Self::Refused(refused)),
            Err(other) => Err(format!("ours failed: {other}: {other:?}")),
        }
    }

    /// What it did, or would have done: what is refused would have changed a row.
    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::Done(effect) => *effect,
            _ => Effect { touched: None, changed: true },
        }
    }
}

/// How often something was done by both, refused by both, and refused by us alone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) done: usize,
    pub(super) refused: usize,
    pub(super) not_ours: usize,
}

/// What was done, for whoever wants to know that it was something.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) cases: usize,
    pub(super) steps: usize,
    pub(super) rows: usize,
    pub(super) commits: usize,
    /// By the name of the change.
    pub(super) counts: BTreeMap<&'static str, Count>,
    /// Rules of columns that nobody named in a row that both took.
    pub(super) rules: BTreeMap<&'static str, usize>,
    /// Why both refused a row.
    pub(super) violations: BTreeMap<&'static str, usize>,
    /// Why ours refused alone.
    pub(super) not_ours: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.steps += other.steps;
        self.rows += other.rows;
        self.commits += other.commits;
        for (name, count) in &other.counts {
            let sum = self.counts.entry(name).or_default();
            sum.done += count.done;
            sum.refused += count.refused;
            sum.not_ours += count.not_ours;
        }
        let maps = [
            (&mut self.rules, &other.rules),
            (&mut self.violations, &other.violations),
            (&mut self.not_ours, &other.not_ours),
        ];
        for (sum, more) in maps {
            for (name, count) in more {
                *sum.entry(name).or_default() += count;
            }
        }
    }

    /// Holds what became of a change against what Dolt has said; whether both have done it. An error if only one side did, or
    /// if the statement touched other rows than we have changed.
    pub(super) fn judge(
        &mut self,
        name: &'static str,
        shown: &dyn Fn() -> String,
        did: &Did,
        told: Option<&Told>,
    ) -> Result<bool, String> {
        let count = self.counts.entry(name).or_default();
        match (did, told) {
            (Did::NotOurs(why), None) => {
                count.not_ours += 1;
                let (start, word) = OURS[*why];
                *self.not_ours.entry(if word.is_empty() { start } else { word }).or_default() += 1;
                Ok(false)
            }
            (Did::Done(effect), Some(Ok(touched))) => {
                if effect.touched.is_some_and(|wanted| wanted != *touched) {
                    let wanted = effect.touched.unwrap_or_default();
                    return Err(format!(
                        "the statement touched {touched} rows instead of {wanted}: {}",
                        shown()
                    ));
                }
                count.done += 1;
                Ok(true)
            }
            // What is gone by now, or is a value that does not fit, is something that Dolt does not change.
            (Did::Refused(error), Some(told))
                if told.is_err() || (matches!(error, Error::Violation { .. }) && *told == Ok(0)) =>
            {
                count.refused += 1;
                if let Error::Violation { violation, .. } = error {
                    *self.violations.entry(named(violation)).or_default() += 1;
                }
                Ok(false)
            }
            (Did::Done(_), Some(Err(theirs))) => Err(format!("only Dolt refuses {}: {theirs}", shown())),
            (Did::Refused(ours), Some(Ok(_))) => Err(format!("only ours refuses {}: {ours}", shown())),
            (did, told) => panic!("{did:?} and {told:?}"),
        }
    }
}

fn named(violation: &Violation) -> &'static str {
    match violation {
        Violation::Null { .. } => "null",
        Violation::NoValue { .. } => "no value",
        Violation::Value { .. } => "a value",
        Violation::Expression { .. } => "an expression",
        Violation::Check { .. } => "a check",
        Violation::Duplicate { .. } => "a duplicate",
        Violation::NoRow { .. } => "no row",
        Violation::ForeignKey { .. } => "a foreign key",
        _ => "another",
    }
}
