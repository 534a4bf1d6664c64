//! What is done in a series: short sequences of commands on one database, all drawn from a seed.
//!
//! The same seed draws the same commands however many sequences are wanted, so a series can be cut behind the one that fails.
//! What could go wrong is that only one kind of seed is ever run: the mode and the servers follow from the seed's last digits.

use super::words::Maker;
use crate::differential::Random;
use crate::support::Dolt;

/// Whether a server holds the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Down,
    Up(Dolt),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A command; who does it is drawn when both are to take turns.
    Call { words: Vec<String>, input: Option<String>, ours: bool },
    /// The server comes or goes.
    Server(State),
}

/// How a series is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One database, the programs in turn.
    Together,
    /// Two databases, a program for each.
    Apart,
}

/// What becomes of servers in a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Servers {
    Stay(State),
    ComeAndGo,
}

/// What comes and goes.
const STATES: [State; 3] = [State::Down, State::Up(Dolt::V1), State::Up(Dolt::V2)];

/// A series.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) mode: Mode,
    pub(crate) servers: Servers,
    /// The steps of each sequence.
    pub(crate) sequences: Vec<Vec<Step>>,
}

impl Series {
    /// The first `count` sequences of this seed's series.
    pub(crate) fn of(seed: u64, count: usize) -> Self {
        let mut random = Random::of(seed);
        let mode = if seed.is_multiple_of(2) { Mode::Together } else { Mode::Apart };
        // Without a server the real bd takes twice as long.
        let servers = match seed / 2 % 6 {
            0 => Servers::ComeAndGo,
            1 => Servers::Stay(State::Down),
            2 | 3 => Servers::Stay(State::Up(Dolt::V1)),
            _ => Servers::Stay(State::Up(Dolt::V2)),
        };
        let mut maker = Maker::of(mode, servers != Servers::Stay(State::Down), random.fork());
        let mut state = State::Down;
        let sequences = (0..count).map(|n| sequence(n == 0, servers, &mut state, &mut maker, &mut random));
        Self { mode, servers, sequences: sequences.collect() }
    }

    /// The state in which a sequence begins.
    pub(crate) fn state_before(&self, sequence: usize) -> State {
        let mut steps = self.sequences[..sequence].iter().flatten().rev();
        steps
            .find_map(|step| if let Step::Server(state) = step { Some(*state) } else { None })
            .unwrap_or(State::Down)
    }
}

fn sequence(
    is_first: bool,
    servers: Servers,
    state: &mut State,
    maker: &mut Maker,
    random: &mut Random,
) -> Vec<Step> {
    maker.forget();
    let mut steps = Vec::new();
    // A database with nothing in it refuses most.
    let made = if is_first { 4 } else { random.below(2) };
    for n in 0..made + 4 + random.below(3) {
        let next = match servers {
            Servers::Stay(state) => state,
            Servers::ComeAndGo if n == 0 || random.one_in(8) => *random.pick(&STATES),
            Servers::ComeAndGo => *state,
        };
        if next != *state {
            *state = next;
            steps.push(Step::Server(next));
        }
        let (words, input) = if n < made { (maker.create(), None) } else { maker.any() };
        steps.push(Step::Call { words, input, ours: random.one_in(2) });
    }
    steps
}
