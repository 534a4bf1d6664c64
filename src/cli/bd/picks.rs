//! Flags that choose among issues, shared by `list`, `search` and `count`, and what their words mean. A flag that is taken and
//! not looked at would show too much, so each one ends in the filter.

use beads::filter::{Filter, normalized_labels};
use beads::issue::{check_key, parse_priority};
use beads::{Issue, IssueType};
use clap::Args;
use jiff::Timestamp;

use super::context::Bd;
use super::flags::split;

/// The flags.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Picks {
    /// Only this one's
    #[arg(short, long)]
    pub(super) assignee: Option<String>,
    /// Only of this type
    #[arg(short = 't', long = "type")]
    pub(super) issue_type: Option<String>,
    /// With all of these labels
    #[arg(short, long, aliases = ["tag", "labels"])]
    pub(super) label: Vec<String>,
    /// With one of these labels
    #[arg(long)]
    pub(super) label_any: Vec<String>,
    /// Description contains
    #[arg(long)]
    desc_contains: Option<String>,
    /// Notes contain
    #[arg(long)]
    notes_contains: Option<String>,
    /// Made after; dates as 2025-01-15, +6h, -1d, yesterday
    #[arg(long, value_name = "DATE")]
    created_after: Option<String>,
    /// Made before
    #[arg(long, value_name = "DATE")]
    created_before: Option<String>,
    /// Changed after
    #[arg(long, value_name = "DATE")]
    updated_after: Option<String>,
    /// Changed before
    #[arg(long, value_name = "DATE")]
    updated_before: Option<String>,
    /// Closed after
    #[arg(long, value_name = "DATE")]
    closed_after: Option<String>,
    /// Closed before
    #[arg(long, value_name = "DATE")]
    closed_before: Option<String>,
    /// Without a description
    #[arg(long)]
    empty_description: bool,
    /// Only nobody's
    #[arg(long)]
    no_assignee: bool,
    /// Without labels
    #[arg(long)]
    pub(super) no_labels: bool,
    /// This priority or a less urgent one
    #[arg(long)]
    priority_min: Option<String>,
    /// This priority or a more urgent one
    #[arg(long)]
    priority_max: Option<String>,
}

/// A text that was given and is not empty.
pub(super) fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

/// Labels of a flag.
pub(super) fn labels(values: &[String]) -> Vec<String> {
    normalized_labels(split(values).iter().map(String::as_str))
}

/// The labels of the directory in which the command runs, by `directory.labels` of `config.yaml`: those of the longest path
/// that fits. For commands that were given no labels.
pub(super) fn of_directory(bd: &Bd) -> Vec<String> {
    let here = bd.workspace.cwd().to_string_lossy().into_owned();
    let mut fitting: Vec<(String, String)> = bd.workspace.config().map("directory.labels");
    fitting.retain(|(path, label)| {
        let path = path.trim_end_matches('/');
        !path.is_empty() && !label.is_empty() && (here.ends_with(path) || here.contains(&format!("/{path}")))
    });
    let longest = fitting.into_iter().max_by_key(|(path, _)| (path.len(), std::cmp::Reverse(path.clone())));
    longest.map(|(_, label)| vec![label]).unwrap_or_default()
}

/// Ids of a flag.
pub(super) fn ids(words: Option<&String>) -> Vec<String> {
    words.map(|words| normalized_labels(words.split(','))).unwrap_or_default()
}

/// A type as filters take it.
pub(super) fn kind(word: &str) -> IssueType {
    IssueType::from(word).normalized_for_filter()
}

/// A date of a flag.
pub(super) fn date(flag: &str, text: Option<&String>, bd: &Bd) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let time = beads::when::parse(text, bd.zoned()).map_err(|error| format!("parsing --{flag}: {error}"))?;
    Ok(Some(time.timestamp()))
}

fn priority(flag: &str, text: Option<&String>) -> Result<Option<i64>, String> {
    let parsed = text.map(|text| parse_priority(text)).transpose();
    parsed.map_err(|error| format!("parsing --{flag}: {error}"))
}

impl Picks {
    /// Puts them into a filter. The error is a message without its `Error:`.
    pub(super) fn put(&self, filter: &mut Filter, bd: &Bd) -> Result<(), String> {
        filter.assignee = given(self.assignee.as_ref());
        filter.no_assignee = self.no_assignee;
        filter.labels = labels(&self.label);
        filter.labels_any = labels(&self.label_any);
        filter.no_labels = self.no_labels;
        filter.description_contains = given(self.desc_contains.as_ref());
        filter.notes_contains = given(self.notes_contains.as_ref());
        filter.empty_description = self.empty_description;
        filter.created.after = date("created-after", self.created_after.as_ref(), bd)?;
        filter.created.before = date("created-before", self.created_before.as_ref(), bd)?;
        filter.updated.after = date("updated-after", self.updated_after.as_ref(), bd)?;
        filter.updated.before = date("updated-before", self.updated_before.as_ref(), bd)?;
        filter.closed.after = date("closed-after", self.closed_after.as_ref(), bd)?;
        filter.closed.before = date("closed-before", self.closed_before.as_ref(), bd)?;
        filter.priority_min = priority("priority-min", self.priority_min.as_ref())?;
        filter.priority_max = priority("priority-max", self.priority_max.as_ref())?;
        Ok(())
    }
}

/// Flags that ask for metadata.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct OfMetadata {
    /// This key of the metadata has this value
    #[arg(long, value_name = "KEY=VALUE")]
    metadata_field: Vec<String>,
    /// The metadata has this key
    #[arg(long, value_name = "KEY")]
    has_metadata_key: Option<String>,
}

/// Keys with their values, and a key that has to be there.
pub(super) type Wanted = (std::collections::BTreeMap<String, String>, Option<String>);

impl OfMetadata {
    /// What they ask for.
    pub(super) fn wanted(&self) -> Result<Wanted, String> {
        let mut fields = std::collections::BTreeMap::new();
        for field in &self.metadata_field {
            let (key, value) = field
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| format!("invalid --metadata-field: expected key=value, got {field:?}"))?;
            check_key(key).map_err(|error| format!("invalid --metadata-field key: {error}"))?;
            fields.insert(key.to_owned(), value.to_owned());
        }
        let key = given(self.has_metadata_key.as_ref());
        if let Some(key) = &key {
            check_key(key).map_err(|error| format!("invalid --has-metadata-key: {error}"))?;
        }
        Ok((fields, key))
    }
}

/// Whether the title has a second text, too: `--title` and `--title-contains` can both be given.
pub(super) fn has_title(issue: &Issue, text: Option<&String>, bd: &Bd) -> bool {
    let filter = Filter { title_contains: text.cloned(), ..Filter::default() };
    text.is_none() || filter.matches(issue, &beads::Graph::default(), bd.now)
}
