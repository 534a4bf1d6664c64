//! Settings of the server and where each came from: one resolver, no silent default, no silent winner.
//!
//! A value that cannot be used refuses with its source. Two sources that were both written by a person and disagree
//! refuse. `config.yaml` is not such a source while its port is the one that the last start wrote there; it is then a
//! memory: it keeps the port of a town that names none elsewhere, and yields to `mayor/daemon.json`.

mod port;
mod sources;

use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

pub use port::DEFAULT_PORT;
pub(in crate::town) use sources::parse_port;
pub use sources::{Candidate, ConfigYaml, GENERATED_HEADER, PORT_NOTE, Source, read_config_yaml};

use super::Town;
use super::env::{self, Env};
use crate::sys::net::Port;

/// A setting that may not be used. The first line names value and source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// The value is not possible.
    #[error("{name} {value:?} from {source_name}: {problem}")]
    Invalid {
        /// Which setting, for example `port`.
        name: &'static str,
        /// The text that was found.
        value: String,
        /// Where it was found.
        source_name: String,
        /// Why it cannot be used.
        problem: String,
    },
    /// Two sources disagree.
    #[error("two different ports: {first} from {first_source}, {second} from {second_source}")]
    Conflict {
        /// One value.
        first: Port,
        /// Where it stands.
        first_source: String,
        /// The other value.
        second: Port,
        /// Where that stands.
        second_source: String,
    },
    /// A file that could hold the value cannot be read.
    #[error("{} cannot be understood, so the port is not known: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// A value with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value in force.
    pub value: T,
    /// Where it came from.
    pub source: Source,
}

/// All settings of one town. Each may be an error of its own, so that a bad port does not keep `status` from working.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The port that a start would use.
    pub port: Result<Sourced<Port>, SettingError>,
    /// The host, if one was named.
    pub host: Option<Sourced<String>>,
    /// Whether that host is another machine.
    pub remote: bool,
    /// Login name.
    pub user: Sourced<String>,
    /// Password; never printed.
    pub password: Option<String>,
    /// Log level of the server.
    pub log_level: Result<Sourced<String>, SettingError>,
    /// `wait_timeout` to set after a start; `None`: leave it alone.
    pub wait_timeout: Result<Sourced<Option<Duration>>, SettingError>,
    /// How long a stop waits.
    pub stop_grace: Result<Sourced<Duration>, SettingError>,
    /// Every place that was looked at, for `config --explain`.
    pub candidates: Vec<Candidate>,
    /// Files that are broken but did not decide anything.
    pub warnings: Vec<String>,
}

/// The address that clients use when no host was named.
pub const LOCAL_HOST: &str = "127.0.0.1";
/// How long a stop waits if nobody says otherwise.
pub const DEFAULT_STOP_GRACE: Duration = Duration::from_secs(30);

const LOG_LEVELS: [&str; 6] = ["trace", "debug", "info", "warning", "error", "fatal"];

impl Settings {
    /// Reads all sources of a town.
    pub fn load(town: &Town, env: &Env) -> Self {
        let mut seen = sources::Seen::default();
        let port = port::resolve(town, env, &mut seen);
        let host = env
            .text(env::GT_DOLT_HOST)
            .map(|value| Sourced { value, source: Source::Env(env::GT_DOLT_HOST) });
        match &host {
            Some(host) => seen.used("host", &host.value, &host.source),
            None => seen.used("host", LOCAL_HOST, &Source::Default),
        }
        let user = env.text(env::GT_DOLT_USER).map_or_else(
            || Sourced { value: "root".to_owned(), source: Source::Default },
            |value| Sourced { value, source: Source::Env(env::GT_DOLT_USER) },
        );
        seen.used("user", &user.value, &user.source);
        seen.used("data directory", &town.data_dir().display().to_string(), &Source::Town);
        Self {
            port,
            remote: host.as_ref().is_some_and(|h| is_elsewhere(&h.value)),
            host,
            user,
            password: env.text(env::GT_DOLT_PASSWORD),
            log_level: log_level(town, env, &mut seen),
            wait_timeout: wait_timeout(env, &mut seen),
            stop_grace: stop_grace(env, &mut seen),
            candidates: seen.candidates,
            warnings: seen.warnings,
        }
    }

    /// The host that clients dial.
    pub fn client_host(&self) -> &str {
        match &self.host {
            Some(host) if !is_unspecified(&host.value) => &host.value,
            _ => LOCAL_HOST,
        }
    }

    /// `root@tcp(127.0.0.1:3307)/`, as the Go tools print it. No password in it.
    pub fn connection_string(&self, port: Port) -> String {
        format!("{}@tcp({}:{port})/", self.user.value, self.client_host())
    }
}

fn is_unspecified(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
}

/// Whether a host is another machine. A name that does not resolve cannot be this one.
pub(crate) fn is_elsewhere(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return false;
    }
    let here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    match host.parse::<IpAddr>() {
        Ok(ip) => !here(ip),
        Err(_) => !(host, 0).to_socket_addrs().is_ok_and(|mut found| found.any(|a| here(a.ip()))),
    }
}

fn log_level(town: &Town, env: &Env, seen: &mut sources::Seen) -> Result<Sourced<String>, SettingError> {
    let from_env = env.text(env::GT_DOLT_LOGLEVEL).map(|v| (v, Source::Env(env::GT_DOLT_LOGLEVEL)));
    let found = from_env
        .or_else(|| sources::daemon_env_value(town, env::GT_DOLT_LOGLEVEL).map(|v| (v, Source::DaemonEnv)));
    let (value, source) = found.unwrap_or_else(|| ("warning".to_owned(), Source::Default));
    if !LOG_LEVELS.contains(&value.as_str()) {
        let problem = format!("not one of {}", LOG_LEVELS.join(", "));
        return Err(seen.invalid("log level", value, &source, problem));
    }
    seen.used("log level", &value, &source);
    Ok(Sourced { value, source })
}

fn wait_timeout(env: &Env, seen: &mut sources::Seen) -> Result<Sourced<Option<Duration>>, SettingError> {
    let (text, source) = match env.text(env::GT_DOLT_WAIT_TIMEOUT) {
        Some(text) => (text, Source::Env(env::GT_DOLT_WAIT_TIMEOUT)),
        None => ("30".to_owned(), Source::Default),
    };
    let Ok(seconds) = text.trim().parse::<i64>() else {
        return Err(seen.invalid("wait timeout", text, &source, "not a whole number of seconds".into()));
    };
    seen.used("wait timeout", &text, &source);
    let value = u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs);
    Ok(Sourced { value, source })
}

fn stop_grace(env: &Env, seen: &mut sources::Seen) -> Result<Sourced<Duration>, SettingError> {
    let Some(text) = env.text(env::GT_DOLT_STOP_GRACE) else {
        seen.used("stop grace", "30", &Source::Default);
        return Ok(Sourced { value: DEFAULT_STOP_GRACE, source: Source::Default });
    };
    let source = Source::Env(env::GT_DOLT_STOP_GRACE);
    match text.trim().parse::<u64>() {
        Ok(seconds) => {
            seen.used("stop grace", &text, &source);
            Ok(Sourced { value: Duration::from_secs(seconds), source })
        }
        Err(_) => Err(seen.invalid("stop grace", text, &source, "not a whole number of seconds".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_machine_is_remote() {
        for here in ["127.0.0.1", "::1", "0.0.0.0", "localhost"] {
            assert!(!is_elsewhere(here), "{here}");
        }
        for away in ["192.0.2.7", "no-such-host.invalid"] {
            assert!(is_elsewhere(away), "{away}");
        }
    }

    #[test]
    fn bad_values_refuse_with_value_and_source() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::of(&[
            ("GT_DOLT_LOGLEVEL", "loud"),
            ("GT_DOLT_WAIT_TIMEOUT", "x"),
            ("GT_DOLT_STOP_GRACE", "-1"),
        ]);
        let settings = Settings::load(&Town::at(dir.path()), &env);
        let text = settings.log_level.unwrap_err().to_string();
        assert!(text.contains("\"loud\"") && text.contains("GT_DOLT_LOGLEVEL"), "{text}");
        assert!(settings.wait_timeout.is_err() && settings.stop_grace.is_err());
    }
}
