//! Temporary places for real servers: what has to be made for them, and what lives in them.

use std::fs;
use std::path::Path;

/// A HOME in which Dolt neither counts nor calls anybody.
pub(crate) fn quiet_home(home: &Path) {
    let dir = home.join(".dolt");
    fs::create_dir_all(&dir).unwrap();
    let config = r#"{"metrics.disabled":"true","versioncheck.disabled":"true"}"#;
    fs::write(dir.join("config_global.json"), config).unwrap();
}

/// Copies a directory with everything in it.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Servers whose working directory lies in a temporary directory of the caller: nobody else's can.
pub(crate) fn servers_below(root: &Path) -> Vec<i32> {
    let Ok(root) = root.canonicalize() else { return Vec::new() };
    let pids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    let below = |pid: &i32| {
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let argv = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        cwd.starts_with(&root) && String::from_utf8_lossy(&argv).contains("sql-server") && is_alive(*pid)
    };
    pids.filter(below).collect()
}

/// Whether a process lives; a zombie does not.
pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim_start().starts_with('Z'))
}
