//! Runs a series, counts what was done in it, and makes a sequence that fails smaller.
//!
//! What could go wrong is that the smaller sequence fails for another reason, so it has to show the same kind of difference; and
//! that it begins with another database, so the database before the sequence is made once and copied for every attempt.

use std::collections::BTreeMap;
use std::fmt;

use super::compare::{
    Rows, difference, edges_in_order, flags, has_an_id_twice, without_chance, without_event_counts,
};
use super::place::{Who, Workspace};
use super::plan::{Mode, Series, State, Step};
use super::questions::asked;
use crate::differential::piece;

/// So many smaller sequences are tried.
const ATTEMPTS: usize = 12;

/// What the real bd does without events when it goes through a server, and with them otherwise. Ours always has them.
const WITHOUT_EVENTS: [&str; 3] = ["label", "batch", "--continue"];

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Sequences, commands that were done and commands that were refused, by mode and servers.
    kinds: BTreeMap<String, [usize; 3]>,
    /// How often each verb was done without a refusal.
    pub(crate) verbs: BTreeMap<String, usize>,
    /// Comparisons of all tables, and tables that had one address.
    tables: [usize; 2],
    /// Series that ended because bd gave an id a second time, in the other table.
    given_up: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, [sequences, done, refused]) in &self.kinds {
            writeln!(f, "{kind}: {sequences} sequences, {done} commands done, {refused} refused")?;
        }
        writeln!(f, "{} times all rows, {} tables with one address", self.tables[0], self.tables[1])?;
        writeln!(f, "{} series left where bd gave an id twice", self.given_up)?;
        write!(f, "{:?}", self.verbs)
    }
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        for (kind, counts) in other.kinds {
            let known = self.kinds.entry(kind).or_default();
            *known = std::array::from_fn(|at| known[at] + counts[at]);
        }
        for (verb, times) in other.verbs {
            *self.verbs.entry(verb).or_default() += times;
        }
        self.tables = std::array::from_fn(|at| self.tables[at] + other.tables[at]);
        self.given_up += other.given_up;
    }
}

/// A difference, and where it showed.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) sequence: usize,
    /// None behind the last step.
    step: Option<usize>,
    text: String,
}

impl Difference {
    /// What it begins with: a smaller sequence has to show the same.
    fn kind(&self) -> &str {
        self.text.split([':', ',', '\n']).next().unwrap_or_default()
    }
}

impl Series {
    fn places(&self) -> usize {
        if self.mode == Mode::Together { 1 } else { 2 }
    }

    /// Does all of it, and compares after every command and every sequence.
    pub(crate) fn run(&self, sum: &mut Tally) -> Result<(), Difference> {
        let mut places: Vec<Workspace> = (0..self.places()).map(|_| Workspace::new()).collect();
        let kind = format!("{:?}, {:?}", self.mode, self.servers);
        for (number, steps) in self.sequences.iter().enumerate() {
            let differs = |(step, text)| Difference { sequence: number, step, text };
            sum.kinds.entry(kind.clone()).or_default()[0] += 1;
            if let Err(difference) = play(&mut places, number, steps, &kind, sum) {
                // What it says of such an id, and does with it, is chance from here on.
                if places.iter().any(has_an_id_twice) {
                    sum.given_up += 1;
                    break;
                }
                return Err(differs(difference));
            }
        }
        for place in &mut places {
            place.end("TERM");
            place.is_sound();
        }
        Ok(())
    }

    /// What went wrong, for who looks into it: with the sequence as small as it was found, and the issues before it.
    pub(crate) fn explain(&self, difference: Difference) -> String {
        let number = difference.sequence;
        let before = self.before(number);
        let shown = difference.step.map_or(usize::MAX, |step| step + 1);
        let mut steps = vec![Step::Server(self.state_before(number))];
        steps.extend(self.sequences[number].iter().take(shown).cloned());
        let (steps, difference) = shrink(&before, number, steps, difference);
        let steps: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
        let issues = before[0].run(Who::Ours, &["export", "--all"], None).out;
        format!(
            "{:?}, {:?}, sequence {number}, made smaller:\n{}\n{}\nbefore it there were:\n{issues}",
            self.mode,
            self.servers,
            steps.join("\n"),
            difference.text
        )
    }

    /// Workspaces as they are before a sequence, without a server.
    fn before(&self, sequence: usize) -> Vec<Workspace> {
        let mut places: Vec<Workspace> = (0..self.places()).map(|_| Workspace::new()).collect();
        for step in self.sequences[..sequence].iter().flatten() {
            // What fails here has been looked at when the series was run.
            drop(done(&mut places, step, false));
        }
        for place in &mut places {
            place.set(State::Down);
        }
        places
    }
}

/// A step in all places; None if it was no command, otherwise whether it was done. `more_events`: ours has some that bd has not.
fn done(places: &mut [Workspace], step: &Step, more_events: bool) -> Result<Option<bool>, String> {
    let (words, input, ours) = match step {
        Step::Server(state) => {
            for place in places {
                place.set(*state);
            }
            return Ok(None);
        }
        Step::Call { words, input, ours } => (words, input, ours),
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_done = if let [one] = places {
        let who = if *ours { Who::Ours } else { Who::Theirs };
        one.run(who, &words, input.as_deref()).code == 0
    } else {
        apart(places, &words, input.as_deref(), more_events)?
    };
    if let (Some(theirs), "import") = (places.last(), words[0])
        && (places.len() == 2 || !ours)
        && flags(theirs).is_err()
    {
        // bd looks only at the lines of a file again, not at what depends on them; it has a verb to make up for that.
        theirs.run(Who::Theirs, &["recompute-blocked"], None).ok();
    }
    Ok(Some(is_done))
}

/// Each program on its own database: both do it or both refuse, and say the same.
fn apart(
    places: &[Workspace],
    words: &[&str],
    input: Option<&str>,
    more_events: bool,
) -> Result<bool, String> {
    let [ours, theirs] =
        [(Who::Ours, 0), (Who::Theirs, 1)].map(|(who, at)| places[at].run(who, words, input));
    // What a refusal says may be shorter than bd's; that both refuse is what counts.
    let said = [&ours, &theirs].map(|ran| match ran.code {
        0 => {
            let said = without_chance(&ran.out);
            let said = if words[0] == "delete" { edges_in_order(&said) } else { said };
            if more_events { without_event_counts(&said) } else { said }
        }
        _ => String::new(),
    });
    if ours.code != theirs.code || said[0] != said[1] {
        let text = difference(&said[0], &said[1]);
        return Err(format!("{words:?}: {} and {}\n{text}\n{ours:?}\n{theirs:?}", ours.code, theirs.code));
    }
    Ok(ours.code == 0)
}

/// One sequence. After each command the databases are looked at as files, behind the last one both programs are asked.
fn play(
    places: &mut [Workspace],
    number: usize,
    steps: &[Step],
    kind: &str,
    sum: &mut Tally,
) -> Result<(), (Option<usize>, String)> {
    let mut ids = Vec::new();
    let mut more_events = if let [ours, theirs] = &*places {
        Rows::of(ours).more_events(&Rows::of(theirs))
    } else {
        Vec::new()
    };
    for (at, step) in steps.iter().enumerate() {
        let differs = |text: String| (Some(at), text);
        let Some(is_done) = done(places, step, !more_events.is_empty()).map_err(differs)? else { continue };
        sum.kinds.entry(kind.to_owned()).or_default()[if is_done { 1 } else { 2 }] += 1;
        let Step::Call { words, .. } = step else { continue };
        *sum.verbs.entry(words[0].clone()).or_default() += usize::from(is_done);
        for (which, place) in places.iter().enumerate() {
            ids = flags(place).map_err(|text| differs(format!("{text} in database {which}")))?;
        }
        if let [ours, theirs] = &*places {
            let rows = [ours, theirs].map(Rows::of);
            if ours.is_served() && words.iter().any(|word| WITHOUT_EVENTS.contains(&word.as_str())) {
                more_events = rows[0].more_events(&rows[1]);
            }
            let same = rows[0].differs(&rows[1], &more_events).map_err(differs)?;
            sum.tables = [sum.tables[0] + 1, sum.tables[1] + same];
        }
    }
    asked(places, number, steps, &ids).map_err(|text| (None, text))
}

/// The smallest sequence that was found, and how it fails.
fn shrink(
    before: &[Workspace],
    number: usize,
    mut steps: Vec<Step>,
    mut difference: Difference,
) -> (Vec<Step>, Difference) {
    let (mut left, mut n) = (ATTEMPTS, 0);
    // The first step is the server's state, the last one what shows it.
    while let Some(gone) = piece(steps.len() - 1, n).filter(|_| left > 0) {
        left -= 1;
        let mut smaller = steps.clone();
        smaller.drain(gone);
        let mut places: Vec<Workspace> =
            before.iter().map(|place| Workspace::copy_of(place.project())).collect();
        match play(&mut places, number, &smaller, "", &mut Tally::default()) {
            Err((step, text)) if text.split([':', ',', '\n']).next() == Some(difference.kind()) => {
                smaller.truncate(step.map_or(usize::MAX, |step| step + 1));
                steps = smaller;
                difference = Difference { step, text, ..difference };
            }
            _ => n += 1,
        }
    }
    (steps, difference)
}
