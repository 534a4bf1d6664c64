//! Random commands by our `bd` and the real one: in turn on one database, and each alone on a database of its own. After every
//! few of them both programs say the same of it, and every stored flag is what the whole graph says.
//!
//! Servers of both Dolts come and go in between. Every case comes from a number, its seed; one that fails is made smaller and
//! printed, with the seed that repeats it: `SEED=17 make soak`. What could go wrong is that nearly everything is refused, so
//! what was taken is counted, verb by verb.

mod compare;
pub(crate) mod place;
pub(crate) mod plan;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gt::store::load;
use gt::store::native::Native;

use compare::{difference, without_chance};
use place::{Who, Workspace};
use plan::{Case, Mode, Step};

use crate::differential::piece;

/// Seeds that once showed a difference, with what it was.
const FAILED_ONCE: [(u64, &str); 0] = [];
/// So many commands has a case of every run, and one of a soak.
const CALLS: (usize, usize) = (12, 40);
/// Verbs that both programs must have done in the cases of every run, and how often at least.
const ENOUGH: [(&str, usize); 1] = [("create", 2)];
/// So many smaller cases are tried.
const ATTEMPTS: usize = 60;

/// How often each verb was done without a refusal.
type Tally = BTreeMap<String, usize>;

/// A difference, and the step that showed it.
#[derive(Debug)]
struct Difference {
    step: usize,
    text: String,
}

impl Difference {
    /// What it begins with: a smaller case has to show the same.
    fn kind(&self) -> &str {
        self.text.split([':', ',', '\n']).next().unwrap_or_default()
    }
}

fn run(case: &Case) -> Result<Tally, Difference> {
    let count = if case.mode == Mode::Together { 1 } else { 2 };
    let mut places: Vec<Workspace> = (0..count).map(|_| Workspace::new()).collect();
    let mut tally = Tally::new();
    for (at, step) in case.steps.iter().enumerate() {
        let differs = |text: String| Difference { step: at, text };
        match step {
            Step::Server(state) => places.iter_mut().for_each(|place| place.set(*state)),
            Step::Call { words, input, ours } => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let done = match &places[..] {
                    [one] => {
                        let who = if *ours { Who::Ours } else { Who::Theirs };
                        one.run(who, &words, input.as_deref()).code == 0
                    }
                    _ => apart(&places, &words, input.as_deref()).map_err(differs)?,
                };
                *tally.entry(words[0].to_owned()).or_default() += usize::from(done);
            }
            Step::Compare => compared(&places, at).map_err(differs)?,
        }
    }
    for place in &mut places {
        place.end("TERM");
        place.is_sound();
    }
    Ok(tally)
}

/// Each program on its own database: both do it or both refuse, and say the same.
fn apart(places: &[Workspace], words: &[&str], input: Option<&str>) -> Result<bool, String> {
    let [ours, theirs] =
        [(Who::Ours, 0), (Who::Theirs, 1)].map(|(who, at)| places[at].run(who, words, input));
    // What a refusal says may be shorter than bd's; that both refuse is what counts.
    let said =
        [&ours, &theirs].map(|ran| if ran.code == 0 { without_chance(&ran.out) } else { String::new() });
    if ours.code != theirs.code || said[0] != said[1] {
        let text = difference(&said[0], &said[1]);
        return Err(format!(
            "{words:?}: {} and {}: {}\n{text}\n{ours:?}\n{theirs:?}",
            ours.code, theirs.code, ours.err
        ));
    }
    Ok(ours.code == 0)
}

/// So many of the questions below are asked each time; a comparison of all would take longer than the commands before it.
const SOME: usize = 5;
/// Questions that take turns.
const TURNS: [&[&str]; 18] = [
    &["list", "--json", "--limit", "0"],
    &["ready", "--json", "--limit", "0"],
    &["blocked", "--json"],
    &["stats", "--json"],
    &["label", "list-all", "--json"],
    &["search", "issue", "--status", "all", "--json", "--limit", "0"],
    &["search", "x-1", "--json", "--limit", "0"],
    &["query", "status=open OR label=ui", "--json", "--limit", "0"],
    &["query", "priority<2 AND NOT type=bug", "--json", "--limit", "0", "--all"],
    &["count", "--json", "--by-status"],
    &["count", "--json", "--by-label", "--include-infra"],
    &["count", "--json", "--status", "open", "--assignee", "ada"],
    &["epic", "status", "--json"],
    &["mol", "wisp", "list", "--all", "--json"],
    &["list", "--all", "--include-infra", "--limit", "0", "--sort", "id", "--flat"],
    &["config", "get", "custom.team", "--json"],
    &["memories", "--json"],
    &["kv", "get", "team", "--json"],
];

/// The questions that both are asked at this step.
fn questions(ids: &[String], step: usize) -> Vec<Vec<&str>> {
    let mut questions = vec![
        vec!["list", "--all", "--include-infra", "--json", "--limit", "0", "--sort", "id"],
        vec!["ready", "--json", "--limit", "0", "--include-deferred", "--include-ephemeral"],
    ];
    questions
        .extend(TURNS.iter().cycle().skip(step * SOME % TURNS.len()).take(SOME).map(|words| words.to_vec()));
    if let Some(one) = ids.get(step % ids.len().max(1)) {
        let mut show = vec!["show", "--json", "--include-dependents", "--include-comments"];
        show.extend(ids.iter().map(String::as_str));
        questions.push(show);
        questions.push(match step % 5 {
            0 => vec!["dep", "tree", one, "--json"],
            1 => vec!["dep", "list", one, "--json"],
            2 => vec!["comments", one, "--json"],
            3 => vec!["children", one, "--json"],
            _ => vec!["mol", "current", one, "--json"],
        });
    }
    questions
}

/// What an answer says without what differs on purpose (docs/bd.md).
fn without_known(question: &[&str], text: String) -> String {
    if question[0] != "show" {
        return text;
    }
    // bd counts no comments of wisps there.
    let shown = |line: &str| match line.split_once("\"comment_count\": ") {
        Some((before, number)) => {
            format!("{before}\"comment_count\": 0{}", number.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => line.to_owned(),
    };
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

fn compared(places: &[Workspace], step: usize) -> Result<(), String> {
    let mut all_ids = Vec::new();
    for (at, place) in places.iter().enumerate() {
        all_ids.push(flags(place).map_err(|text| format!("database {at}: {text}"))?);
    }
    if let [ours, theirs] = &all_ids[..]
        && ours != theirs
    {
        return Err(format!("ids: ours {ours:?}, bd {theirs:?}"));
    }
    for question in questions(&all_ids[0], step) {
        let mut said: Vec<String> = Vec::new();
        for place in places {
            let [ours, theirs] = Who::BOTH.map(|who| {
                let mut ran = place.run(who, &question, None);
                ran.out = without_known(&question, ran.out);
                ran
            });
            // In which order the ends of edges come hangs on the plan of whichever server is asked.
            let is_unordered = matches!(question[0], "show" | "dep" | "children");
            let is_same = ours.out == theirs.out
                || (is_unordered && without_chance(&ours.out) == without_chance(&theirs.out));
            if ours.code != theirs.code || !is_same {
                return Err(format!(
                    "{question:?}\n{}\n{ours:?}\n{theirs:?}",
                    difference(&ours.out, &theirs.out)
                ));
            }
            said.push(without_chance(&ours.out));
        }
        if let [ours, theirs] = &said[..]
            && ours != theirs
        {
            return Err(format!("two databases, {question:?}\n{}", difference(ours, theirs)));
        }
    }
    Ok(())
}

/// Every stored flag is what the graph says; gives all ids, sorted.
fn flags(place: &Workspace) -> Result<Vec<String>, String> {
    let reader = Native::at(place.database(), None).reader().unwrap();
    let graph = load::graph(&reader).unwrap();
    let briefs: BTreeMap<String, load::Brief> = load::briefs(&reader, None).unwrap().into_iter().collect();
    for (id, brief) in &briefs {
        if brief.is_blocked != graph.is_blocked(id) {
            return Err(format!(
                "{id}: stored as blocked: {}, computed: {}",
                brief.is_blocked,
                graph.is_blocked(id)
            ));
        }
    }
    Ok(briefs.into_keys().collect())
}

/// The smallest case that was found, and how it fails.
fn shrink(mut case: Case, mut difference: Difference) -> (Case, Difference) {
    case.steps.truncate(difference.step + 1);
    let (mut left, mut n) = (ATTEMPTS, 0);
    while let Some(gone) = piece(case.steps.len().saturating_sub(1), n).filter(|_| left > 0) {
        left -= 1;
        let mut smaller = case.clone();
        smaller.steps.drain(gone);
        match run(&smaller) {
            Err(found) if found.kind() == difference.kind() => (case, difference) = (smaller, found),
            _ => n += 1,
        }
    }
    (case, difference)
}

fn hold(seed: u64, calls: usize, sum: &mut Tally) {
    let case = Case::of(seed, calls);
    match run(&case) {
        Ok(tally) => tally.into_iter().for_each(|(verb, times)| *sum.entry(verb).or_default() += times),
        Err(difference) => {
            eprintln!("seed {seed}, step {}: {}\nall steps:", difference.step, difference.text);
            for step in &case.steps[..=difference.step] {
                eprintln!("{step:?}");
            }
            let (case, difference) = shrink(case, difference);
            let steps: Vec<String> = case.steps.iter().map(|step| format!("{step:?}")).collect();
            panic!(
                "seed {seed} with {calls} commands (repeat: SEED={seed} CALLS={calls} make soak), {:?}, made smaller:\n{}\n{}",
                case.mode,
                steps.join("\n"),
                difference.text
            );
        }
    }
}

fn always(seeds: &[u64]) {
    let mut sum = Tally::new();
    let before = FAILED_ONCE.iter().map(|(seed, _)| seed).filter(|seed| *seed % 2 == seeds[0] % 2);
    for seed in before.chain(seeds) {
        hold(*seed, CALLS.0, &mut sum);
    }
    eprintln!("{sum:?}");
    for (verb, least) in ENOUGH {
        let done = sum.get(verb).copied().unwrap_or_default();
        assert!(done >= least, "{verb}: {done} times, {least} are wanted: {sum:?}");
    }
}

#[test]
fn commands_in_turn_with_bd_leave_a_database_of_which_both_say_the_same() {
    always(&[2]);
}

#[test]
fn the_same_commands_by_us_and_by_bd_leave_the_same_issues() {
    always(&[3]);
}

/// As long as `GT_SOAK_SECONDS` says, from a seed that is another one every time; or the one case that `SEED` names, with as many
/// commands as `CALLS` says.
#[test]
fn soak_commands_of_bd() {
    let number = |name: &str| {
        std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse::<u64>().unwrap())
    };
    let Some(seconds) = number("GT_SOAK_SECONDS") else { return };
    let calls = number("CALLS").map_or(CALLS.1, |calls| usize::try_from(calls).unwrap());
    let (begun, one) = (Instant::now(), number("SEED"));
    let fresh = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() << 16;
    let (mut seed, mut cases, mut sum) = (one.unwrap_or(fresh), 0, Tally::new());
    loop {
        hold(seed, calls, &mut sum);
        (seed, cases) = (seed + 1, cases + 1);
        if one.is_some() || begun.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
    }
    eprintln!("{cases} cases in {:.0?}, none differs: {sum:?}", begun.elapsed());
}
