//! Every environment variable that this program reads, in one place. `docs/environment.md` explains them to users.
//!
//! The environment is read once, at the start; everything else gets an [`Env`] and can be tested with one of its own.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The town to use when the working directory is in none.
pub const GT_TOWN_ROOT: &str = "GT_TOWN_ROOT";
/// The same, older name, asked second.
pub const GT_ROOT: &str = "GT_ROOT";
/// Port of the town's server.
pub const GT_DOLT_PORT: &str = "GT_DOLT_PORT";
/// Host of the server; a host that is not this machine makes the town "remote".
pub const GT_DOLT_HOST: &str = "GT_DOLT_HOST";
/// Login name for SQL.
pub const GT_DOLT_USER: &str = "GT_DOLT_USER";
/// Password for SQL.
pub const GT_DOLT_PASSWORD: &str = "GT_DOLT_PASSWORD";
/// Log level of the server.
pub const GT_DOLT_LOGLEVEL: &str = "GT_DOLT_LOGLEVEL";
/// Seconds for the server's `wait_timeout`; 0 or less leaves it alone.
pub const GT_DOLT_WAIT_TIMEOUT: &str = "GT_DOLT_WAIT_TIMEOUT";
/// Seconds that `stop` waits; setting it also allows the kill after it.
pub const GT_DOLT_STOP_GRACE: &str = "GT_DOLT_STOP_GRACE";
/// Filter for our own diagnostics on standard error, for example `debug`.
pub const GT_LOG: &str = "GT_LOG";
/// Where programs are found.
pub const PATH: &str = "PATH";
/// The shell's name for the working directory.
pub const PWD: &str = "PWD";
/// The user's name, for the record of who asked.
pub const USER: &str = "USER";
/// The home directory.
pub const HOME: &str = "HOME";
/// Where programs keep their settings, if not in `~/.config`.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The git directory, if git itself said so (in a hook).
pub const GIT_DIR: &str = "GIT_DIR";

const ALL: [&str; 25] = [
    GT_TOWN_ROOT,
    GT_ROOT,
    GT_DOLT_PORT,
    GT_DOLT_HOST,
    GT_DOLT_USER,
    GT_DOLT_PASSWORD,
    GT_DOLT_LOGLEVEL,
    GT_DOLT_WAIT_TIMEOUT,
    GT_DOLT_STOP_GRACE,
    GT_LOG,
    PATH,
    PWD,
    USER,
    HOME,
    XDG_CONFIG_HOME,
    GIT_DIR,
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_COUNT",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
];

/// Settings of bd each have a variable of their own, and git numbers some of its: whole families are read.
const FAMILIES: [&str; 4] = ["BD_", "BEADS_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"];

/// The environment as it was when the program started. A variable that is set to nothing counts as not set.
#[derive(Clone, Default)]
pub struct Env(HashMap<Cow<'static, str>, OsString>);

impl Env {
    /// Reads the environment of this process.
    pub fn of_process() -> Self {
        let set = |name: &'static str| Some((Cow::Borrowed(name), std::env::var_os(name)?));
        let family = |(name, value): (OsString, OsString)| {
            let name = name.into_string().ok()?;
            FAMILIES.iter().any(|f| name.starts_with(f)).then_some((Cow::Owned(name), value))
        };
        let all = ALL.into_iter().filter_map(set).chain(std::env::vars_os().filter_map(family));
        Self(all.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// An environment made by hand.
    pub fn of(pairs: &[(&'static str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| (Cow::Borrowed(*name), OsString::from(value))).collect())
    }

    /// This environment with variables that are taken where it has none of that name; empty ones count as not set.
    #[must_use]
    pub fn or(&self, others: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut both = self.clone();
        for (name, value) in others.into_iter().filter(|(_, value)| !value.is_empty()) {
            both.0.entry(Cow::Owned(name)).or_insert_with(|| OsString::from(value));
        }
        both
    }

    /// This environment with variables that go before its own.
    #[must_use]
    pub fn with(&self, others: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut both = self.clone();
        for (name, value) in others {
            both.0.insert(Cow::Owned(name), OsString::from(value));
        }
        both
    }

    /// This environment without what git says of the repository that it runs in.
    #[must_use]
    pub(crate) fn without_git(&self) -> Self {
        let mut without = self.clone();
        without.0.retain(|name, _| !matches!(&**name, "GIT_DIR" | "GIT_WORK_TREE" | "GIT_COMMON_DIR"));
        without
    }

    /// This environment without what it says of a town, its server and its issues; and the names of what it said, sorted.
    pub(crate) fn without_town(&self) -> (Self, Vec<String>) {
        const OF_TOWN: [&str; 6] =
            [GT_TOWN_ROOT, GT_ROOT, GT_DOLT_PORT, GT_DOLT_HOST, GT_DOLT_USER, GT_DOLT_PASSWORD];
        let mut without = self.clone();
        let is_of_town =
            |name: &str| OF_TOWN.contains(&name) || name.starts_with("BD_") || name.starts_with("BEADS_");
        let mut said: Vec<String> =
            self.0.keys().filter(|name| is_of_town(name)).map(ToString::to_string).collect();
        said.sort();
        without.0.retain(|name, _| !is_of_town(name));
        (without, said)
    }

    /// The home directory, as `HOME` names it.
    pub fn home(&self) -> Option<PathBuf> {
        self.path(HOME)
    }

    /// The value as text; bytes that are no UTF-8 become replacement characters and fail later checks.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|v| v.to_string_lossy().into_owned())
    }

    /// The value as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name).map(PathBuf::from)
    }

    /// The raw value.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str)
    }

    /// The first executable file of this name on `PATH`, named so that it is found from every working directory.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.raw(PATH)?;
        let runs = |p: &PathBuf| {
            std::fs::metadata(p).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        };
        let absolute = |dir: PathBuf| std::path::absolute(Path::new(".").join(dir).join(name)).ok();
        std::env::split_paths(path).filter_map(absolute).find(runs)
    }
}

// Values are left out: one of them is a password.
impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
