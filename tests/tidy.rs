//! House rules that the compiler does not hold: which room may know which, how long a file may be, who may print,
//! where `unsafe` may stand, that no file is forgotten. `docs/architecture.md` has the reasons.
//!
//! Each rule is a function over a path and a text, and stands beside a test that shows it fail on a bad sample.
//! Files are read under the package's root; what is compiled, generated or fetched (`target/`) is not looked at.
//! This is no parser: comments and literals are set apart ([`Views`]), the rest is searched for words.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may know whom. `src/lib.rs` and `src/bin` may know all, and nobody but them knows `cli`.
const ROOMS: &[(&str, &[&str])] = &[
    ("cli", &["migrate", "rig", "store", "doltserver", "town", "sql", "sys"]),
    ("migrate", &["rig", "doltserver", "town", "sql", "sys"]),
    ("rig", &["doltserver", "town", "sql", "sys"]),
    ("store", &["doltserver", "town", "sql", "sys"]),
    ("doltserver", &["town", "sql", "sys"]),
    ("town", &["sys"]),
    ("sql", &["sys"]),
    ("sys", &[]),
];

const MAX_LINES: usize = 800;
const MAX_MEDIAN_LINES: usize = 250;

// ---- The rules, held against the tree.

#[test]
fn rooms_know_only_the_rooms_below_them() {
    demand(&each(&tree(), |path, _, views| arrows(path, views)));
}

#[test]
fn files_are_short_enough_to_be_read() {
    demand(&lengths(&tree()));
}

#[test]
fn only_the_command_line_room_prints_or_exits() {
    demand(&each(&tree(), |path, _, views| prints(path, views)));
}

#[test]
fn unsafe_code_stands_only_at_the_edges() {
    demand(&each(&tree(), |path, _, views| unsafe_code(path, views)));
}

#[test]
fn every_source_file_says_at_its_head_what_it_is_for() {
    demand(&each(&tree(), |path, text, _| heads(path, text)));
}

#[test]
fn every_file_is_compiled_by_somebody() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the package has a manifest");
    demand(&forgotten(&tree(), &manifest));
}

#[test]
fn nothing_is_left_half_done() {
    demand(&each(&tree(), |path, _, views| leftovers(path, views)));
}

#[test]
fn the_default_port_is_written_once() {
    demand(&each(&tree(), |path, _, views| default_port(path, views)));
}

// ---- The rules themselves. Each finding reads `file:line: what to do`.

fn arrows(path: &str, views: &Views) -> Vec<String> {
    let Some(room) = room_of(path) else {
        return Vec::new();
    };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}:1: `{room}` is no room: give it its arrows in tests/tidy.rs (ROOMS)")];
    };
    mentions_of_root(path, &views.code)
        .into_iter()
        .filter(|(_, name)| name != room && !allowed.contains(&name.as_str()))
        .map(|(line, name)| {
            if ROOMS.iter().any(|(room, _)| *room == name) {
                format!("{path}:{line}: `{room}` may not know `{name}`: turn the arrow, or pass the value in")
            } else {
                format!("{path}:{line}: `crate::{name}` is in no room: name the room where it lives")
            }
        })
        .collect()
}

fn lengths(files: &Tree) -> Vec<String> {
    let lines = |text: &String| text.lines().count();
    let mut found: Vec<String> = files
        .iter()
        .filter(|(_, text)| lines(text) > MAX_LINES)
        .map(|(path, text)| {
            format!("{path}:{}: longer than {MAX_LINES} lines: split it by idea", lines(text))
        })
        .collect();
    let mut sources: Vec<usize> =
        files.iter().filter(|(path, _)| path.starts_with("src/")).map(|(_, text)| lines(text)).collect();
    sources.sort_unstable();
    if let Some(&median) = sources.get(sources.len() / 2)
        && median > MAX_MEDIAN_LINES
    {
        found.push(format!(
            "src:{median}: half of the files are longer than {MAX_MEDIAN_LINES} lines: split some"
        ));
    }
    found
}

fn prints(path: &str, views: &Views) -> Vec<String> {
    if !path.starts_with("src/") || path.starts_with("src/cli/") || path.starts_with("src/bin/") {
        return Vec::new();
    }
    let words = ["println!", "eprintln!", "print!", "eprint!", "process::exit"];
    search(path, &views.code, &words, "return it and let src/cli print or exit")
}

fn unsafe_code(path: &str, views: &Views) -> Vec<String> {
    if path.starts_with("src/sys/") {
        return Vec::new();
    }
    search(path, &views.code, &["unsafe"], "only src/sys may: put a safe face on it there")
}

fn heads(path: &str, text: &str) -> Vec<String> {
    let first = text.lines().find(|line| !line.trim().is_empty());
    if !path.starts_with("src/") || first.is_some_and(|line| line.starts_with("//!")) {
        return Vec::new();
    }
    vec![format!("{path}:1: open with a `//!` comment: what it is for, what it guards, what it does not do")]
}

/// Files that no `mod` line, `#[path]` attribute or target in `Cargo.toml` names. Cargo and rustc say nothing of
/// them, so the tests in them would never run (`autotests` and `autobenches` are off).
fn forgotten(files: &Tree, manifest: &str) -> Vec<String> {
    let by_path_attribute: Vec<String> =
        files.iter().flat_map(|(path, text)| path_attributes(path, text)).collect();
    files
        .keys()
        .filter(|path| !by_path_attribute.contains(path))
        .filter_map(|path| {
            let (folder, file) = path.rsplit_once('/')?;
            let is_target = match folder.split('/').collect::<Vec<_>>()[..] {
                ["src"] => return (file != "lib.rs").then(|| unlisted(files, path)).flatten(),
                ["src", "bin"] => return None,
                ["tests" | "benches"] => true,
                ["tests" | "benches", _] => file == "main.rs",
                _ => false,
            };
            match is_target {
                true if manifest.contains(&format!("path = \"{path}\"")) => None,
                true => {
                    Some(format!("{path}:1: never compiled: give it a target with this `path` in Cargo.toml"))
                }
                false => unlisted(files, path),
            }
        })
        .collect()
}

fn leftovers(path: &str, views: &Views) -> Vec<String> {
    // Put together here so that a plain search of the tree does not find this file.
    let calls =
        [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("d", "bg!"), concat!("#[", "ignore")];
    let marks = [concat!("FIX", "ME"), concat!("X", "XX")];
    let mut found = search(path, &views.code, &calls, "finish it or take it out");
    found.extend(search(path, &views.comments, &marks, "do it, or say in prose what is missing and why"));
    found
}

fn default_port(path: &str, views: &Views) -> Vec<String> {
    if !path.starts_with("src/") || path.starts_with("src/town/") {
        return Vec::new();
    }
    search(path, &views.code, &["3307", "3_307"], "the default port is a constant of src/town: use that")
}

// ---- Reading paths and texts.

/// The room that a source file belongs to; none for the crate's root and the binaries.
fn room_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/")?;
    match rest.split_once('/') {
        Some(("bin", _)) => None,
        Some((room, _)) => Some(room),
        None => rest.strip_suffix(".rs").filter(|name| !matches!(*name, "lib" | "main")),
    }
}

/// What a file names at the crate's root, with the line: `crate::a::b`, `crate::{a::b, c}`, and `super::a` where
/// so many `super` lead out of the room.
fn mentions_of_root(path: &str, code: &str) -> Vec<(usize, String)> {
    let to_root = path.matches('/').count() - usize::from(path.ends_with("/mod.rs"));
    let mut found = Vec::new();
    for at in word_starts(code, "crate::") {
        names_after(code, at + "crate::".len(), &mut found);
    }
    for at in word_starts(code, "super::").filter(|&at| !code[..at].ends_with("super::")) {
        let chain = code[at..].split("::").take_while(|part| *part == "super").count();
        // Unit tests sit in a module of their own at the end of a file: one step further from the root.
        let inside = usize::from(code[..at].contains("\nmod tests {"));
        if chain >= to_root + inside {
            names_after(code, at + chain * "super::".len(), &mut found);
        }
    }
    found
}

/// The first names of the path or of the group of paths that begins at `at`.
fn names_after(code: &str, at: usize, found: &mut Vec<(usize, String)>) {
    let line_at = |at: usize| code[..at].matches('\n').count() + 1;
    let name_at =
        |at: usize| code[at..].split(|c: char| !is_word(c) && c != '*').next().unwrap_or("").to_owned();
    if !code[at..].starts_with('{') {
        found.push((line_at(at), name_at(at)));
        return;
    }
    let (mut depth, mut expects_name) = (0, false);
    for (offset, c) in code[at..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
        if depth == 1 && matches!(c, '{' | ',') {
            expects_name = true;
        } else if expects_name && !c.is_whitespace() {
            expects_name = false;
            found.push((line_at(at + offset), name_at(at + offset)));
        }
    }
}

/// A finding if no file that could be the parent of this module says `mod name;`.
fn unlisted(files: &Tree, path: &str) -> Option<String> {
    let module = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs"))?;
    let (folder, name) = module.rsplit_once('/')?;
    let parents = [
        format!("{folder}/main.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/mod.rs"),
        format!("{folder}.rs"),
    ];
    let line = format!("mod {name};");
    let is_listed = parents
        .iter()
        .filter_map(|parent| files.get(parent))
        .any(|text| word_starts(&Views::of(text).code, &line).next().is_some());
    (!is_listed).then(|| format!("{path}:1: never compiled: add `{line}` to its parent in {folder}"))
}

/// The files that `#[path = "…"]` in this file points to.
fn path_attributes(path: &str, text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("#[path = \"")?.split_once('"'))
        .map(|(target, _)| {
            let mut parts: Vec<&str> = path.split('/').collect();
            parts.pop();
            for part in target.split('/') {
                match part {
                    ".." => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
            parts.join("/")
        })
        .collect()
}

/// A file taken apart: all lines stay where they are, what does not belong to a view is blank in it.
struct Views {
    /// Without comments and without the content of literals.
    code: String,
    /// Comments alone.
    comments: String,
}

impl Views {
    fn of(text: &str) -> Self {
        let (mut code, mut comments) = (String::new(), String::new());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (length, is_comment, is_code) = match (comment_length(rest), literal_length(rest)) {
                (Some(length), _) => (length, true, false),
                (_, Some(length)) => (length, false, false),
                _ => (first.len_utf8(), false, true),
            };
            let (piece, after) = rest.split_at(length);
            for c in piece.chars() {
                let blank = if c == '\n' { '\n' } else { ' ' };
                code.push(if is_code { c } else { blank });
                comments.push(if is_comment { c } else { blank });
            }
            rest = after;
        }
        Self { code, comments }
    }
}

fn comment_length(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    Some(at)
}

/// Length of the string, raw string or character literal that begins here. A lifetime is none.
fn literal_length(rest: &str) -> Option<usize> {
    let unfinished = rest.len();
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(body.find(&end).map_or(unfinished, |at| 2 + hashes + at + end.len()));
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut inside = rest.char_indices().skip(1);
    if quote == '\'' {
        let mut ahead = inside.clone().map(|(_, c)| c);
        if ahead.next() != Some('\\') && ahead.next() != Some('\'') {
            return None;
        }
    }
    while let Some((at, c)) = inside.next() {
        if c == '\\' {
            inside.next();
        } else if c == quote {
            return Some(at + 1);
        }
    }
    Some(unfinished)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `word` stands in `text` without being part of a longer word.
fn word_starts<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let begins = !word.starts_with(is_word) || !text[..at].ends_with(is_word);
        let ends = !word.ends_with(is_word) || !text[at + word.len()..].starts_with(is_word);
        begins && ends
    })
}

fn search(path: &str, text: &str, words: &[&str], advice: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in words.iter().filter(|word| word_starts(line, word).next().is_some()) {
            found.push(format!("{path}:{}: `{word}`: {advice}", index + 1));
        }
    }
    found
}

// ---- Reading the tree.

/// Paths from the package's root, with `/`, and the text of each file.
type Tree = BTreeMap<String, String>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn tree() -> Tree {
    let mut files = Tree::new();
    for folder in ["src", "tests", "benches"] {
        collect(&root().join(folder), folder, &mut files);
    }
    assert!(files.contains_key("tests/tidy.rs"), "the tree was not found under {}", root().display());
    files
}

fn collect(folder: &Path, name: &str, files: &mut Tree) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.expect("a folder of the package can be listed");
        let path = format!("{name}/{}", entry.file_name().to_str().expect("file names are UTF-8"));
        if entry.path().is_dir() {
            collect(&entry.path(), &path, files);
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(entry.path()).expect("a source file is readable UTF-8");
            files.insert(path, text);
        }
    }
}

fn each(files: &Tree, rule: impl Fn(&str, &str, &Views) -> Vec<String>) -> Vec<String> {
    files.iter().flat_map(|(path, text)| rule(path, text, &Views::of(text))).collect()
}

#[track_caller]
fn demand(found: &[String]) {
    assert!(found.is_empty(), "{} to mend:\n{}\n", found.len(), found.join("\n"));
}

/// Each rule shown to fail, and not to fail where it should not.
mod samples {
    use super::*;

    fn views(text: &str) -> Views {
        Views::of(text)
    }

    fn files(list: &[(&str, &str)]) -> Tree {
        list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn comments_and_literals_are_set_apart() {
        let text =
            "a /* b /* c */ d */ e // f\nlet g = \"h \\\" // i\"; 'j'; '\\''; r#\"k\" l\"#; b'm'; &'n o\n";
        let Views { code, comments } = views(text);
        let words =
            |text: &str| text.split(|c| !is_word(c)).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
        assert_eq!(words(&code), "a e let g b n o");
        assert_eq!(words(&comments), "b c d f");
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn an_arrow_that_the_house_lacks_is_found_however_it_is_written() {
        for (path, text) in [
            ("src/sys/lock.rs", "use crate::town::Town;"),
            ("src/sql/mod.rs", "fn f(t: &crate::town::Town) {}"),
            ("src/town/mod.rs", "pub(in crate::sql) fn f() {}"),
            ("src/rig/list.rs", "use crate::{\n    sys::{lock, net},\n    cli::print,\n};"),
            ("src/rig/mod.rs", "#[cfg(test)]\nmod tests { use crate::migrate::plan; }"),
            ("src/rig/list.rs", "use super::super::migrate::plan;"),
            ("src/rig/mod.rs", "use super::cli::print;"),
            ("src/doltserver/x/y.rs", "use super::super::super::rig::Rig;"),
            ("src/migrate/mod.rs", "use crate::*;"),
            ("src/migrate/mod.rs", "use crate::Shortcut;"),
            ("src/attic/mod.rs", "//! A room nobody knows."),
            ("src/attic.rs", "//! A room nobody knows."),
        ] {
            assert_eq!(arrows(path, &views(text)).len(), 1, "{path}: {text}");
        }
        assert_eq!(
            arrows("src/rig/list.rs", &views("\nuse crate::{\n    sys,\n    cli::print,\n};")),
            ["src/rig/list.rs:4: `rig` may not know `cli`: turn the arrow, or pass the value in"]
        );
    }

    #[test]
    fn arrows_that_the_house_has_are_left_alone() {
        for (path, text) in [
            ("src/lib.rs", "pub use crate::cli::main;"),
            ("src/bin/gt.rs", "fn main() { gt::cli::main() }"),
            ("src/cli/start.rs", "use crate::{cli::print, doltserver, migrate::plan, sys};"),
            ("src/rig/list.rs", "use super::metadata; use crate::rig::x; use crate::sql::{quote, cli};"),
            ("src/rig/mod.rs", "fn a() {}\nmod tests { use super::a; }"),
            ("src/rig/list.rs", "// crate::cli\n/// [`crate::cli`]\nlet x = \"crate::cli\";"),
            ("src/doltserver/x/y.rs", "use super::super::rig;"),
            ("src/sys/mod.rs", "pub(crate) fn supercrate() {} use crate::sys::lock;"),
        ] {
            assert_eq!(arrows(path, &views(text)), [""; 0], "{path}: {text}");
        }
    }

    #[test]
    fn long_files_and_a_long_median_are_found() {
        let (short, long, huge) = ("x\n".repeat(250), "x\n".repeat(251), "x\n".repeat(801));
        assert!(
            lengths(&files(&[("src/a.rs", &short), ("src/b.rs", &short), ("src/c.rs", &long)])).is_empty()
        );
        assert!(
            lengths(&files(&[("src/a.rs", &short), ("tests/b.rs", &long), ("tests/c.rs", &long)])).is_empty()
        );
        assert_eq!(
            lengths(&files(&[("src/a.rs", &short), ("src/b.rs", &long), ("src/c.rs", &long)])).len(),
            1
        );
        assert_eq!(lengths(&files(&[("tests/it/a.rs", &huge)])).len(), 1);
    }

    #[test]
    fn printing_is_found_outside_the_command_line() {
        let bad =
            views("println!(\"a\");\n// println!\neprint!(\"b\");\nstd::process::exit(1);\nmy_println!();");
        let lines: Vec<String> = prints("src/town/mod.rs", &bad);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].starts_with("src/town/mod.rs:3: `eprint!`"), "{lines:?}");
        assert!(prints("src/cli/print.rs", &bad).is_empty());
        assert!(prints("src/bin/gt.rs", &bad).is_empty());
    }

    #[test]
    fn unsafe_is_found_outside_the_edges() {
        let bad = views("// SAFETY: none.\nunsafe { f() }\n#![deny(unsafe_code)]");
        assert_eq!(unsafe_code("src/town/mod.rs", &bad).len(), 1);
        assert_eq!(unsafe_code("tests/it/main.rs", &bad).len(), 1);
        assert!(unsafe_code("src/sys/spawn.rs", &bad).is_empty());
    }

    #[test]
    fn a_headless_file_is_found() {
        assert_eq!(heads("src/town/mod.rs", "use std::fs;\n//! Late.\n").len(), 1);
        assert_eq!(heads("src/town/mod.rs", "").len(), 1);
        assert!(heads("src/town/mod.rs", "\n//! The town.\n").is_empty());
    }

    #[test]
    fn forgotten_files_are_found() {
        let manifest = "[[test]]\nname = \"it\"\npath = \"tests/it/main.rs\"\n";
        let bad = files(&[
            ("src/lib.rs", "pub mod town; // mod rig;"),
            ("src/rig/mod.rs", ""),
            ("src/town/mod.rs", ""),
            ("src/town/layout.rs", ""),
            ("tests/it/main.rs", "mod start_all;"),
            ("tests/it/start.rs", ""),
            ("tests/live/main.rs", ""),
            ("tests/stray.rs", ""),
            ("benches/ping.rs", ""),
        ]);
        let found: Vec<String> = forgotten(&bad, manifest)
            .iter()
            .map(|line| line.split(':').next().expect("a path").to_owned())
            .collect();
        assert_eq!(
            found,
            [
                "benches/ping.rs",
                "src/rig/mod.rs",
                "src/town/layout.rs",
                "tests/it/start.rs",
                "tests/live/main.rs",
                "tests/stray.rs",
            ]
        );
    }

    #[test]
    fn files_that_somebody_names_are_not_forgotten() {
        let manifest = "path = \"tests/it/main.rs\"\n";
        let good = files(&[
            ("src/lib.rs", "pub mod town;\npub mod solo;"),
            ("src/solo.rs", ""),
            ("src/bin/gt.rs", ""),
            ("src/bin/found-by-cargo.rs", ""),
            ("src/town/mod.rs", "#[cfg(test)]\nmod tests;\nmod deep;"),
            ("src/town/tests.rs", ""),
            ("src/town/deep.rs", "mod er;"),
            ("src/town/deep/er.rs", ""),
            ("tests/it/main.rs", "mod start;\n#[path = \"../common/mod.rs\"]\nmod common;"),
            ("tests/it/start.rs", ""),
            ("tests/common/mod.rs", "mod town;"),
            ("tests/common/town.rs", ""),
        ]);
        assert_eq!(forgotten(&good, manifest), [""; 0]);
    }

    #[test]
    fn leftovers_are_found() {
        let bad = [
            concat!("to", "do!()"),
            concat!("d", "bg!(x)"),
            concat!("#[", "ignore = \"later\"]"),
            concat!("// FIX", "ME: x"),
            concat!("/* X", "XX */"),
        ];
        for text in bad {
            assert_eq!(leftovers("src/town/mod.rs", &views(text)).len(), 1, "{text}");
        }
        assert!(
            leftovers("src/town/mod.rs", &views("let template = \"name.XXXXXX\"; // ignored")).is_empty()
        );
    }

    #[test]
    fn the_default_port_is_found_outside_its_room() {
        let bad = views("const PORT: u16 = 3307;\nconst LONG: u32 = 33071;\nlet text = \"3307\";");
        assert_eq!(default_port("src/doltserver/config.rs", &bad).len(), 1);
        assert!(default_port("src/town/config.rs", &bad).is_empty());
    }
}
