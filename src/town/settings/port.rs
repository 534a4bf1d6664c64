//! The port: three places, one rule.
//!
//! 1. Every value that is present must be a port (1 to 65535), or the whole setting is refused with its source.
//! 2. `GT_DOLT_PORT`, `mayor/daemon.json` and a hand-edited `config.yaml` are said by people. Two that differ: refused.
//! 3. If one of them speaks, it wins. One exception: `GT_DOLT_PORT` alone against the port of the last start is refused
//!    too, because agents inherit that variable and must not move a town's server by accident.
//! 4. Nobody speaks: the port of the last start; else 3307.

use super::sources::{self, Seen, parse_port};
use super::{SettingError, Source, Sourced};
use crate::sys::net::Port;
use crate::town::Town;
use crate::town::env::{self, Env};

/// The port of a town that never said one.
pub const DEFAULT_PORT: Port = Port::new(3307).expect("3307 is not zero");

pub(super) fn resolve(town: &Town, env: &Env, seen: &mut Seen) -> Result<Sourced<Port>, SettingError> {
    let daemon = sources::daemon_json_port(town).map_err(|(path, problem)| {
        seen.note("port", "?", &Source::DaemonJson, &format!("unreadable: {problem}"));
        SettingError::Unreadable { path, problem }
    })?;
    let mut said = Vec::new();
    if let Some(text) = env.text(env::GT_DOLT_PORT) {
        said.push(checked(&text, &Source::Env(env::GT_DOLT_PORT), seen)?);
    }
    if let Some(text) = daemon {
        said.push(checked(&text, &Source::DaemonJson, seen)?);
    }
    let mut memory = None;
    match sources::read_config_yaml(&town.config_yaml()) {
        Ok(Some(config)) => {
            if let Some(text) = config.port {
                let source = if config.is_generated { Source::LastStart } else { Source::ConfigYaml };
                let value = checked(&text, &source, seen)?;
                if config.is_generated { memory = Some(value) } else { said.push(value) }
            }
        }
        Ok(None) => {}
        Err(problem) => {
            seen.note("port", "?", &Source::ConfigYaml, &format!("unreadable: {problem}"));
            let path = town.config_yaml();
            if said.is_empty() {
                return Err(SettingError::Unreadable { path, problem });
            }
            seen.warnings
                .push(format!("{} cannot be understood and will be written anew: {problem}", path.display()));
        }
    }
    decide(&said, memory.as_ref(), seen)
}

fn checked(text: &str, source: &Source, seen: &mut Seen) -> Result<Sourced<Port>, SettingError> {
    match parse_port(text) {
        Ok(value) => Ok(Sourced { value, source: source.clone() }),
        Err(problem) => Err(seen.invalid("port", text.to_owned(), source, problem)),
    }
}

fn decide(
    said: &[Sourced<Port>],
    memory: Option<&Sourced<Port>>,
    seen: &mut Seen,
) -> Result<Sourced<Port>, SettingError> {
    let only_env = matches!(said, [Sourced { source: Source::Env(_), .. }]);
    let against = if only_env { memory } else { None };
    if let Some(first) = said.first()
        && let Some(second) = said.iter().skip(1).chain(against).find(|s| s.value != first.value)
    {
        for side in said.iter().chain(against) {
            seen.note("port", &side.value.to_string(), &side.source, "in conflict");
        }
        return Err(SettingError::Conflict {
            first: first.value,
            first_source: first.source.to_string(),
            second: second.value,
            second_source: second.source.to_string(),
        });
    }
    // All that speak agree; the place that a person would edit is named first.
    let winner = said.iter().rev().find(|s| !matches!(s.source, Source::Env(_))).or(said.first()).cloned();
    let winner = winner.or_else(|| memory.cloned());
    let winner = winner.unwrap_or(Sourced { value: DEFAULT_PORT, source: Source::Default });
    for side in said.iter().chain(memory) {
        let verdict = match (side.source == winner.source, side.value == winner.value) {
            (true, _) => "used",
            (false, true) => "agrees",
            (false, false) => "will be replaced at the next start",
        };
        seen.note("port", &side.value.to_string(), &side.source, verdict);
    }
    if winner.source == Source::Default {
        seen.used("port", &winner.value.to_string(), &winner.source);
    }
    Ok(winner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Case {
        _dir: tempfile::TempDir,
        town: Town,
    }

    fn case(daemon: Option<&str>, config: Option<&str>) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let town = Town::at(dir.path());
        fs::create_dir_all(town.data_dir()).unwrap();
        fs::create_dir_all(dir.path().join("mayor")).unwrap();
        if let Some(text) = daemon {
            fs::write(town.daemon_json(), text).unwrap();
        }
        if let Some(text) = config {
            fs::write(town.config_yaml(), text).unwrap();
        }
        Case { _dir: dir, town }
    }

    fn port_of(case: &Case, env: Option<&str>) -> Result<(u16, Source), String> {
        let env = env.map_or_else(Env::default, |v| Env::of(&[(env::GT_DOLT_PORT, v)]));
        let found = resolve(&case.town, &env, &mut Seen::default());
        found.map(|s| (s.value.get(), s.source)).map_err(|e| e.to_string())
    }

    const GENERATED: &str = "# Dolt SQL server configuration — managed by Gas Town (gt dolt start)\n# gt: port 23101 (default)\nlistener:\n  port: 23101\n";
    const GO_MADE: &str =
        "# Dolt SQL server configuration — managed by Gas Town (gt dolt start)\nlistener:\n  port: 23101\n";
    const EDITED: &str = "# Dolt SQL server configuration — managed by Gas Town (gt dolt start)\n# gt: port 23101 (default)\nlistener:\n  port: 23999\n";

    #[test]
    fn f24_each_source_alone_is_used_and_named() {
        assert_eq!(port_of(&case(None, None), None).unwrap(), (3307, Source::Default));
        assert_eq!(port_of(&case(None, None), Some("23105")).unwrap().0, 23_105);
        let as_text = case(Some(r#"{"env":{"GT_DOLT_PORT":"23102"}}"#), None);
        assert_eq!(port_of(&as_text, None).unwrap(), (23_102, Source::DaemonJson));
        let as_number = case(Some(r#"{"env":{"GT_DOLT_PORT":23102}}"#), None);
        assert_eq!(port_of(&as_number, None).unwrap(), (23_102, Source::DaemonJson));
        assert_eq!(port_of(&case(None, Some(GO_MADE)), None).unwrap(), (23_101, Source::LastStart));
        assert_eq!(port_of(&case(None, Some(EDITED)), None).unwrap(), (23_999, Source::ConfigYaml));
    }

    #[test]
    fn f24_values_that_are_no_port_refuse_instead_of_falling_back() {
        for bad in ["abc", "0", "-1", "65536", "99999", "23.5", "99999999999999999999999"] {
            let error = port_of(&case(None, None), Some(bad)).unwrap_err();
            assert!(error.contains(bad) && error.contains("GT_DOLT_PORT"), "{error}");
        }
        assert!(port_of(&case(Some(r#"{"env":{"GT_DOLT_PORT":"x"}}"#), None), None).is_err());
        assert!(port_of(&case(None, Some("listener:\n  port: 70000\n")), None).is_err());
    }

    #[test]
    fn f24_people_who_disagree_are_not_overruled() {
        let both = case(Some(r#"{"env":{"GT_DOLT_PORT":"23102"}}"#), Some(EDITED));
        assert!(port_of(&both, None).unwrap_err().contains("23999"));
        let one = case(Some(r#"{"env":{"GT_DOLT_PORT":"23102"}}"#), None);
        assert!(port_of(&one, Some("23103")).unwrap_err().contains("two different ports"));
        assert_eq!(port_of(&one, Some("23102")).unwrap(), (23_102, Source::DaemonJson));
        let moved_by_accident = port_of(&case(None, Some(GENERATED)), Some("23103"));
        assert!(moved_by_accident.unwrap_err().contains("kept from the last start"));
    }

    #[test]
    fn f36_a_changed_daemon_json_beats_the_port_of_the_last_start() {
        for config in [GENERATED, GO_MADE] {
            let moved = case(Some(r#"{"env":{"GT_DOLT_PORT":"23102"}}"#), Some(config));
            assert_eq!(port_of(&moved, None).unwrap(), (23_102, Source::DaemonJson));
        }
    }

    #[test]
    fn f31_a_broken_file_refuses_when_it_could_change_the_port() {
        let daemon = case(Some("{"), None);
        assert!(port_of(&daemon, Some("23101")).unwrap_err().contains("mayor/daemon.json"));
        let config = case(None, Some("listener: ["));
        assert!(port_of(&config, None).unwrap_err().contains("config.yaml"));
        let mut seen = Seen::default();
        let env = Env::of(&[(env::GT_DOLT_PORT, "23101")]);
        assert_eq!(resolve(&config.town, &env, &mut seen).unwrap().value.get(), 23_101);
        assert_eq!(seen.warnings.len(), 1);
    }
}
