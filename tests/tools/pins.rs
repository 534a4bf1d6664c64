//! The real `tools/pins` and `tools/bd/go.mod`: they must agree, since only the second decides which `bd` is built.

use std::fs;
use std::path::Path;

#[test]
fn the_pin_of_bd_is_what_its_module_requires() {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
    let pins = fs::read_to_string(tools.join("pins")).unwrap();
    let (name, version) = pins
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, version)| (name, version.trim()))
        .find(|(name, _)| name.starts_with("bd-"))
        .expect("bd is pinned");
    assert_eq!(
        name.strip_prefix("bd-"),
        version.strip_prefix('v'),
        "a release of bd is called by its module version"
    );
    let module = fs::read_to_string(tools.join("bd/go.mod")).unwrap();
    let line = format!("require github.com/steveyegge/beads {version}");
    assert!(module.lines().any(|l| l == line), "tools/bd/go.mod lacks `{line}`");
}
