//! What was measured on, and with what.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One line for each fact, in Markdown, with the versions of these programs beside our own.
pub(crate) fn describe(programs: &[PathBuf]) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, m)| m);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let mut versions = vec![first_line_of(Path::new(env!("CARGO_BIN_EXE_gt")), "--version")];
    versions.extend(programs.iter().map(|program| first_line_of(program, "version")));
    let lines = [
        format!("- machine: {cores} cores, {model}, Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("- load average before: {}", load.join(", ")),
        format!("- {}", versions.join(", ")),
        format!("- date: {}", gt::sys::clock::now().strftime("%Y-%m-%d")),
    ];
    lines.join("\n")
}

/// A pinned program, by the name of its link.
pub(crate) fn pinned(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real-programs").join(name);
    let program = name.split('-').next().unwrap();
    let path = dir.canonicalize().unwrap_or(dir).join(program);
    assert!(path.is_file(), "{} is missing: run tools/real-programs all", path.display());
    path
}

fn first_line_of(program: &Path, arg: &str) -> String {
    let out = Command::new(program).arg(arg).output().unwrap();
    String::from_utf8_lossy(&out.stdout).lines().next().unwrap_or_default().to_owned()
}
