//! What was measured on, and with what.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::town::dolt_path;

/// One line for each fact, in Markdown.
pub(crate) fn describe() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, m)| m);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    vec![
        format!("- machine: {cores} cores, {model}, Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!("- load average before: {}", load.join(", ")),
        format!("- {}, {}", first_line_of(Path::new(env!("CARGO_BIN_EXE_gt")), "--version"), dolt_version()),
        format!("- date: {}", gt::sys::clock::now().strftime("%Y-%m-%d")),
    ]
}

fn dolt_version() -> String {
    first_line_of(&dolt_path(), "version")
}

fn first_line_of(program: &Path, arg: &str) -> String {
    let out = Command::new(program).arg(arg).output().unwrap();
    String::from_utf8_lossy(&out.stdout).lines().next().unwrap_or_default().to_owned()
}

/// The size of the program under test.
pub(crate) fn binary_mb() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let bytes = fs::metadata(env!("CARGO_BIN_EXE_gt")).unwrap().len() as f64;
    bytes / 1e6
}
