//! `bd ready --mol` and `bd mol show`: the steps of a molecule, which of them can be begun and which beside each other (bd 1.1.0
//! `cmd/bd/mol_show.go`, `template.go`). Groups and their members are in the order of steps and of ids; bd leaves both to chance.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use beads::edge::WaitsFor;
use beads::{EdgeType, Issue, Status};
use clap::Args;
use serde::Serialize;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::fields::Fields;
use super::lines::{Page, go_list};
use crate::cli::out;
use crate::store::StoreError;
use crate::store::ops::Molecule;
use crate::store::reader::Reader;
use crate::store::view::View;

/// What is known of a step.
#[derive(Debug, Clone, Default, Serialize)]
struct Info {
    step_id: String,
    status: String,
    is_ready: bool,
    parallel_group: String,
    blocked_by: Vec<String>,
    blocks: Vec<String>,
    can_parallel: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Step {
    issue: Issue,
    parallel_info: Info,
    #[serde(skip_serializing_if = "String::is_empty")]
    parallel_group: String,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "bd's names")]
struct ReadySteps {
    molecule_id: String,
    molecule_title: String,
    total_steps: usize,
    ready_steps: usize,
    steps: Option<Vec<Step>>,
    parallel_groups: BTreeMap<String, Vec<String>>,
}

/// The root and everything below it: by edges first, then by ids that no edge puts elsewhere.
fn members<'v>(view: &'v View, root: &'v Issue) -> Vec<&'v Issue> {
    let mut by_edge: HashMap<&str, Vec<(bool, String, &Issue)>> = HashMap::new();
    for issue in view.all() {
        for edge in issue.dependencies.iter().filter(|edge| edge.kind == EdgeType::ParentChild) {
            let list = by_edge.entry(edge.depends_on_id.as_str()).or_default();
            list.push((issue.is_wisp(), edge.computed_id(), issue));
        }
    }
    let mut found = vec![root];
    let mut seen: HashSet<&str> = HashSet::from([root.id.as_str()]);
    descend(view, &mut by_edge, root, &mut found, &mut seen);
    found
}

fn descend<'v>(
    view: &'v View,
    by_edge: &mut HashMap<&'v str, Vec<(bool, String, &'v Issue)>>,
    parent: &'v Issue,
    found: &mut Vec<&'v Issue>,
    seen: &mut HashSet<&'v str>,
) {
    let mut children = by_edge.remove(parent.id.as_str()).unwrap_or_default();
    children.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut named: Vec<&Issue> = view
        .all()
        .filter(|issue| {
            issue.id.rsplit_once('.').is_some_and(|(before, _)| before == parent.id)
                && !issue
                    .dependencies
                    .iter()
                    .any(|edge| edge.kind == EdgeType::ParentChild && edge.depends_on_id != parent.id)
        })
        .collect();
    let order = beads::order::SortKey::Priority.rows(false);
    named.sort_by(|a, b| a.is_wisp().cmp(&b.is_wisp()).then_with(|| order(a, b)));
    for child in children.into_iter().map(|(_, _, child)| child).chain(named) {
        if seen.insert(&child.id) {
            found.push(child);
            descend(view, by_edge, child, found, seen);
        }
    }
}

type Sets<'v> = BTreeMap<&'v str, BTreeSet<&'v str>>;

// Who holds whom, closed ones too where an edge says so.
fn holds<'v>(steps: &[&'v Issue]) -> Sets<'v> {
    let by_id: HashMap<&str, &Issue> = steps.iter().map(|step| (step.id.as_str(), *step)).collect();
    let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
    let edges = || steps.iter().flat_map(|step| step.dependencies.iter().map(move |edge| (*step, edge)));
    for (step, edge) in edges().filter(|(_, edge)| edge.kind == EdgeType::ParentChild) {
        children.entry(&edge.depends_on_id).or_default().push(&step.id);
    }
    let is_closed = |id: &str| by_id.get(id).is_some_and(|step| step.status == Status::Closed);
    let mut blocked_by: Sets<'v> = steps.iter().map(|step| (step.id.as_str(), BTreeSet::new())).collect();
    for (step, edge) in edges().filter(|(_, edge)| by_id.contains_key(edge.depends_on_id.as_str())) {
        let set = blocked_by.entry(&step.id).or_default();
        match edge.kind {
            EdgeType::Blocks | EdgeType::ConditionalBlocks => {
                set.insert(&edge.depends_on_id);
            }
            EdgeType::WaitsFor => {
                let children = children.get(edge.depends_on_id.as_str()).map_or(&[][..], Vec::as_slice);
                let is_open =
                    edge.waits_for() == WaitsFor::AnyChildren && children.iter().any(|id| is_closed(id));
                if !is_open {
                    set.extend(children.iter().filter(|id| !is_closed(id)));
                }
            }
            _ => {}
        }
    }
    blocked_by
}

// Steps from something that holds no open step; circles count as none.
fn depth<'v>(
    id: &'v str,
    open: &Sets<'v>,
    depths: &mut HashMap<&'v str, usize>,
    seen: &mut HashSet<&'v str>,
) -> usize {
    if let Some(depth) = depths.get(id) {
        return *depth;
    }
    if !seen.insert(id) {
        return 0;
    }
    let blockers = open.get(id).into_iter().flatten();
    let found = blockers.map(|blocker| depth(blocker, open, depths, seen) + 1).max().unwrap_or_default();
    depths.insert(id, found);
    found
}

// Members of each group: steps of one depth that are connected by not holding each other.
fn groups<'v>(steps: &[&'v Issue], all: &Sets<'v>, open: &Sets<'v>) -> Vec<Vec<&'v str>> {
    let (mut depths, mut seen) = (HashMap::new(), HashSet::new());
    let mut by_depth: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for step in steps {
        let depth = depth(&step.id, open, &mut depths, &mut seen);
        by_depth.entry(depth).or_default().push(&step.id);
    }
    let holds = |a: &str, b: &str| all.get(a).is_some_and(|set| set.contains(b));
    let mut found = Vec::new();
    for mut rest in by_depth.into_values() {
        rest.sort_unstable();
        while let Some(first) = rest.first().copied() {
            let mut group = vec![first];
            rest.remove(0);
            let mut at = 0;
            while let Some(member) = group.get(at).copied() {
                let (beside, others) =
                    rest.into_iter().partition::<Vec<_>, _>(|id| !holds(member, id) && !holds(id, member));
                group.extend(beside);
                rest = others;
                at += 1;
            }
            group.sort_unstable();
            if group.len() > 1 {
                found.push(group);
            }
        }
    }
    found
}

/// The groups of a molecule, and what is known of each step.
struct Analysis<'v> {
    groups: BTreeMap<String, Vec<String>>,
    infos: Vec<(&'v Issue, Info)>,
}

fn analysis<'v>(view: &'v View, root: &'v Issue) -> Analysis<'v> {
    let steps = members(view, root);
    let all = holds(&steps);
    let closed: HashSet<&str> =
        steps.iter().filter(|step| step.status == Status::Closed).map(|step| step.id.as_str()).collect();
    let open: Sets<'_> = all
        .iter()
        .map(|(id, set)| (*id, set.difference(&closed.iter().copied().collect()).copied().collect()))
        .collect();
    let groups: BTreeMap<String, Vec<String>> = groups(&steps, &all, &open)
        .into_iter()
        .enumerate()
        .map(|(at, group)| (format!("group-{}", at + 1), group.into_iter().map(str::to_owned).collect()))
        .collect();
    let info = |step: &Issue| {
        let id = step.id.as_str();
        let group = groups.iter().find(|(_, members)| members.iter().any(|member| member == id));
        let blocked_by: Vec<String> = open.get(id).into_iter().flatten().map(|id| (*id).to_owned()).collect();
        let blocks = all.iter().filter(|(_, set)| set.contains(id)).map(|(id, _)| (*id).to_owned());
        Info {
            step_id: id.to_owned(),
            status: step.status.to_string(),
            is_ready: matches!(step.status, Status::Open | Status::InProgress) && blocked_by.is_empty(),
            parallel_group: group.map(|(name, _)| name.clone()).unwrap_or_default(),
            blocked_by,
            blocks: blocks.collect(),
            can_parallel: group
                .map(|(_, members)| members.iter().filter(|member| *member != id).cloned().collect()),
        }
    };
    let infos: Vec<(&Issue, Info)> = steps.iter().map(|step| (*step, info(step))).collect();
    Analysis { groups, infos }
}

/// The whole id of a molecule. That there is none is told in bd's words; what keeps it from being read is told as it is.
pub(super) fn resolved(reader: &dyn Reader, given: &str) -> Answer<String> {
    Bd::resolve(reader, given).map_err(|error| match error {
        StoreError::NotFound(_) => missing(given),
        error => error.into(),
    })
}

fn missing(given: &str) -> Refusal {
    Refusal::new(format!("molecule '{given}' not found"))
}

/// Prints the ready steps.
pub(super) fn ready_steps(bd: &Bd, given: &str) -> Answer {
    let reader = bd.reader()?;
    let id = resolved(&*reader, given)?;
    let view = View::load(&*reader, true)?;
    let root = view.all().find(|issue| issue.id == id).ok_or_else(|| missing(given))?;
    let Analysis { groups, infos } = analysis(&view, root);
    let ready: Vec<&(&Issue, Info)> = infos.iter().filter(|(_, info)| info.is_ready).collect();
    if bd.json() {
        let steps: Vec<Step> = ready
            .iter()
            .map(|(issue, info)| Step {
                issue: Issue { dependencies: Vec::new(), comments: Vec::new(), ..(*issue).clone() },
                parallel_group: info.parallel_group.clone(),
                parallel_info: info.clone(),
            })
            .collect();
        return print_object(&ReadySteps {
            molecule_id: id,
            molecule_title: root.title.clone(),
            total_steps: infos.len(),
            ready_steps: steps.len(),
            steps: Some(steps).filter(|steps| !steps.is_empty()),
            parallel_groups: groups,
        });
    }
    let is_ready = |id: &str| ready.iter().any(|(issue, _)| issue.id == id);
    let mut page = Page::default();
    page.line(format_args!("\n🧪 Ready steps in molecule: {}", root.title));
    page.line(format_args!("   ID: {id}\n   Total: {} steps, {} ready", infos.len(), ready.len()));
    if ready.is_empty() {
        page.line("\n✨ No ready steps (all blocked or completed)\n");
        return page.print();
    }
    if !groups.is_empty() {
        page.line("\n⚡ Parallel Groups:");
    }
    for (name, members) in &groups {
        let count = members.iter().filter(|id| is_ready(id)).count();
        if count > 0 {
            page.line(format_args!("   {name}: {count} ready"));
        }
    }
    page.line("\n📋 Ready steps:\n");
    for (at, (issue, info)) in ready.iter().enumerate() {
        let Issue { priority, issue_type, id, title, .. } = issue;
        let group = if info.parallel_group.is_empty() {
            String::new()
        } else {
            format!(" [{}]", info.parallel_group)
        };
        page.line(format_args!("{}. [● P{priority}] [{issue_type}] {id}: {title}{group}", at + 1));
        let beside: Vec<&String> = info.can_parallel.iter().flatten().filter(|id| is_ready(id)).collect();
        if !beside.is_empty() {
            page.line(format_args!("   Can run with: {}", go_list(&beside)));
        }
    }
    page.line("");
    page.print()
}

/// Show the structure of a molecule
#[derive(Debug, Args)]
#[command(after_help = "Example: bd mol show bd-a1b --parallel")]
pub(super) struct Show {
    /// Which one
    molecule: String,
    /// Also which steps can be done beside each other
    #[arg(short, long)]
    parallel: bool,
}

/// What `--parallel` tells as JSON.
#[derive(Debug, Serialize)]
struct Beside<'a> {
    molecule_id: &'a str,
    total_steps: usize,
    ready_steps: usize,
    parallel_groups: &'a BTreeMap<String, Vec<String>>,
    steps: BTreeMap<&'a str, &'a Info>,
}

impl Show {
    pub(super) fn run(&self, bd: &Bd) -> Answer {
        let reader = bd.reader()?;
        let id = resolved(&*reader, &self.molecule)?;
        let molecule =
            Molecule::load(&*reader, &id).map_err(|error| Refusal::from(error).within("loading molecule"))?;
        let view = View::load(&*reader, true)?;
        let root = view.all().find(|issue| issue.id == id).ok_or_else(|| missing(&self.molecule))?;
        let analysis = self.parallel.then(|| analysis(&view, root));
        let ready = analysis.iter().flat_map(|found| &found.infos).filter(|(_, info)| info.is_ready).count();
        let variables = molecule.variables();
        if bd.json() {
            // A molecule that was bonded is not known as one: no column keeps it.
            let parallel = analysis.as_ref().map(|found| Beside {
                molecule_id: &id,
                total_steps: found.infos.len(),
                ready_steps: ready,
                parallel_groups: &found.groups,
                steps: found.infos.iter().map(|(issue, info)| (issue.id.as_str(), info)).collect(),
            });
            // A map in bd, so the keys are sorted.
            let told = Fields::default()
                .with("bonded_from", ())
                .with("dependencies", Some(&molecule.edges).filter(|edges| !edges.is_empty()))
                .with("is_compound", false)
                .with("issues", &molecule.issues)
                .maybe("parallel", parallel)
                .with("root", molecule.root())
                .with("variables", Some(&variables).filter(|names| !names.is_empty()));
            return print_object(&told);
        }
        let of_them = if self.parallel { format!(" ({ready} ready)") } else { String::new() };
        let steps = molecule.issues.len();
        out::line(format!(
            "\n🧪 Molecule: {}\n   ID: {id}\n   Steps: {steps}{of_them}",
            molecule.root().title
        ));
        let groups = analysis.as_ref().map(|found| &found.groups).filter(|groups| !groups.is_empty());
        if let Some(groups) = groups {
            out::line("\n⚡ Parallel Groups:");
            for (name, members) in groups {
                out::line(format!("   {name}: {}", members.join(", ")));
            }
        }
        if !variables.is_empty() {
            out::line("\n📝 Variables:");
            for name in &variables {
                out::line(format!("   {{{{{name}}}}}"));
            }
        }
        out::line("\n🌲 Structure:");
        let note = |id: &str| annotation(analysis.as_ref()?.infos.iter().find(|(issue, _)| issue.id == id)?);
        let root = if self.parallel { note(&id).unwrap_or_default() } else { " (root)".to_owned() };
        out::line(format!("   {}{root}", molecule.root().title));
        below(&molecule, &note, &id, 0, &mut HashSet::from([id.as_str()]));
        out::line("");
        Ok(())
    }
}

// What is known of a step, in brackets.
fn annotation((_, info): &(&Issue, Info)) -> Option<String> {
    let mut parts = match info.status.as_str() {
        "open" if info.is_ready => vec!["ready".to_owned()],
        "open" => vec!["blocked".to_owned()],
        "in_progress" => vec!["in_progress".to_owned()],
        "closed" => vec!["completed".to_owned()],
        _ => Vec::new(),
    };
    if !info.parallel_group.is_empty() {
        parts.push(info.parallel_group.clone());
    }
    if !info.blocked_by.is_empty() {
        parts.push(format!("needs: {}", info.blocked_by.join(", ")));
    }
    (!parts.is_empty()).then(|| format!(" [{}]", parts.join(" | ")))
}

fn below<'m>(
    molecule: &'m Molecule,
    note: &dyn Fn(&str) -> Option<String>,
    parent: &str,
    depth: usize,
    seen: &mut HashSet<&'m str>,
) {
    let edges = molecule.edges.iter();
    let edges = edges.filter(|edge| edge.kind == EdgeType::ParentChild && edge.depends_on_id == parent);
    let children: Vec<&Issue> =
        edges.filter_map(|edge| molecule.issues.iter().find(|issue| issue.id == edge.issue_id)).collect();
    for (at, child) in children.iter().enumerate() {
        let connector = if at + 1 == children.len() { "└──" } else { "├──" };
        let line = format!(
            "{}   {connector} {}{}",
            "  ".repeat(depth),
            child.title,
            note(&child.id).unwrap_or_default()
        );
        if !seen.insert(&child.id) {
            out::line(format!("{line} (cycle detected, skipping)"));
            continue;
        }
        out::line(line);
        below(molecule, note, &child.id, depth + 1, seen);
    }
}
