//! `.dolt-data/config.yaml`, the server's configuration: same keys and order as the Go tool writes, values quoted so
//! that no path can break it, replaced whole and only when it differs.

use std::path::Path;

use super::ServerError;
use crate::sys::atomic;
use crate::sys::net::Port;
use crate::town::Town;
use crate::town::settings::{GENERATED_HEADER, PORT_NOTE, Settings, Sourced};

/// Writes the configuration for a start. `served` is the town's data directory, or a view of it.
pub fn write(
    town: &Town,
    settings: &Settings,
    port: &Sourced<Port>,
    served: &Path,
) -> Result<(), ServerError> {
    let level = settings.log_level.clone()?.value;
    let host = settings.host.as_ref().map(|h| h.value.as_str());
    let text = render(&level, port, host, served);
    atomic::write_if_changed(&town.config_yaml(), text.as_bytes(), 0o600)?;
    Ok(())
}

fn render(level: &str, port: &Sourced<Port>, host: Option<&str>, served: &Path) -> String {
    let host = host.map(|h| format!("\n  host: {}", quoted(h))).unwrap_or_default();
    let data_dir = quoted(&served.display().to_string());
    let (number, source) = (port.value, &port.source);
    format!(
        "{GENERATED_HEADER} (gt dolt start)
# Changes are overwritten at each start; an edited port is noticed and refused if another source disagrees.
{PORT_NOTE}{number} ({source})

log_level: {level}

listener:
  port: {number}{host}
  max_connections: 1000
  read_timeout_millis: 300000
  write_timeout_millis: 300000

data_dir: {data_dir}

behavior:
  dolt_transaction_commit: false
  auto_gc_behavior:
    enable: true
    archive_level: 1
"
    )
}

// A YAML double-quoted scalar; JSON's escapes are a subset of YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::town::settings::{Source, read_config_yaml};
    use std::fs;

    #[test]
    fn a_quote_or_backslash_in_the_path_does_not_break_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yaml");
        let port = Sourced { value: Port::new(23_101).unwrap(), source: Source::LastStart };
        let nasty = Path::new("/t/a \"b\" \\ 'c' #: ü/.dolt-data");
        fs::write(&file, render("warning", &port, Some("::1"), nasty)).unwrap();
        let read = read_config_yaml(&file).unwrap().unwrap();
        assert_eq!(read.data_dir.as_deref(), nasty.to_str());
        assert_eq!(read.port.as_deref(), Some("23101"));
        assert!(read.is_generated);
    }
}
