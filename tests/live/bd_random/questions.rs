//! What both programs are asked behind each sequence.
//!
//! A question costs the real bd as much as a command, so what most depends on is asked each time and the rest takes turns. What
//! could go wrong is that an answer says nothing, so `show` and `dep tree` are asked of issues that the sequence was about.

use super::compare::{difference, without_chance, without_order};
use super::place::{Who, Workspace};
use super::plan::Step;

/// Asked each time, besides `show` and `dep tree`.
const ALWAYS: [&[&str]; 4] = [
    &["list", "--all", "--include-infra", "--json", "--limit", "0", "--sort", "id"],
    &["ready", "--json", "--limit", "0", "--include-deferred", "--include-ephemeral"],
    &["blocked", "--json"],
    &["stats", "--json"],
];
/// Take turns; the last ones are asked of one issue, whose id is put in behind the second word.
const TURNS: [&[&str]; 20] = [
    &["list", "--json", "--limit", "0"],
    &["ready", "--json", "--limit", "0"],
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
    &["dep", "list", ID, "--json"],
    &["comments", ID, "--json"],
    &["children", ID, "--json"],
    &["mol", "current", ID, "--json"],
];
const ID: &str = "(id)";
/// So many questions are asked of two databases.
const APART: usize = 3;
/// So many issues are shown.
const SHOWN: usize = 5;

/// The questions behind the sequence of this number; `ids` are those that are there.
fn questions<'a>(number: usize, steps: &'a [Step], ids: &'a [String]) -> Vec<Vec<&'a str>> {
    let mut questions: Vec<Vec<&str>> = ALWAYS.iter().map(|words| words.to_vec()).collect();
    let said = |id: &&String| {
        steps.iter().any(|step| match step {
            Step::Call { words, .. } => words.iter().any(|word| word.ends_with(id.as_str())),
            Step::Server(_) => false,
        })
    };
    let mut about: Vec<&str> = ids.iter().filter(said).map(String::as_str).take(SHOWN).collect();
    about.extend(ids.get(number % ids.len().max(1)).map(String::as_str).filter(|id| !about.contains(id)));
    let Some(one) = about.get(number % about.len().max(1)) else { return questions };
    questions.push(
        ["show", "--json", "--include-dependents", "--include-comments"]
            .into_iter()
            .chain(about.iter().copied())
            .collect(),
    );
    questions.push(vec!["dep", "tree", one, "--json"]);
    if number.is_multiple_of(2) {
        let turn = TURNS[(number / 2 + ids.len()) % TURNS.len()];
        questions.push(turn.iter().map(|word| if *word == ID { one } else { *word }).collect());
    }
    questions
}

/// What an answer says without what differs on purpose (docs/bd.md) and without what hangs on a server's plan.
fn without_known(question: &[&str], is_served: bool, text: String) -> String {
    match question {
        // bd counts no comments of wisps there.
        ["show", ..] => text.lines().map(without_count).collect::<Vec<_>>().join("\n"),
        // Under which of two an issue is hung that both lead to is said by the order in which a server finds edges: Dolt 2.2.0 goes
        // through another index than 1.88.1.
        ["dep", "tree", ..] if is_served => {
            let place = ["\"depth\": ", "\"edge_from_parent\": ", "\"parent_id\": "];
            let stays = |line: &&str| !place.iter().any(|key| line.trim_start().starts_with(key));
            text.lines().filter(stays).collect::<Vec<_>>().join("\n")
        }
        _ => text,
    }
}

fn without_count(line: &str) -> String {
    match line.split_once("\"comment_count\": ") {
        Some((before, number)) => {
            format!("{before}\"comment_count\": 0{}", number.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => line.to_owned(),
    }
}

/// Both programs answer the same: of one database, or each of its own.
pub(crate) fn asked(
    places: &[Workspace],
    number: usize,
    steps: &[Step],
    ids: &[String],
) -> Result<(), String> {
    let mut questions = questions(number, steps, ids);
    if places.len() > 1 {
        // Their rows are the same already, and what each program says of the same rows is seen where they take turns.
        let first = number * APART % questions.len();
        questions.rotate_left(first);
        questions.truncate(APART);
    }
    for question in questions {
        let [ours, theirs] =
            [(Who::Ours, &places[0]), (Who::Theirs, &places[places.len() - 1])].map(|(who, place)| {
                let mut ran = place.run(who, &question, None);
                ran.out = without_known(&question, place.is_served(), ran.out);
                ran
            });
        let said = [&ours, &theirs].map(|ran| match (places.len(), question[0]) {
            (2, _) => without_chance(&ran.out),
            // In which order the ends of edges come hangs on the plan of whichever server is asked, and that of two that are
            // blocked, equal in priority and age, on chance.
            (_, "show" | "dep" | "children" | "blocked") => without_order(&ran.out),
            _ => ran.out.clone(),
        });
        if ours.code != theirs.code || said[0] != said[1] {
            return Err(format!("{question:?}\n{}\n{ours:?}\n{theirs:?}", difference(&said[0], &said[1])));
        }
    }
    Ok(())
}
