//! A store's manifest, as far as a start needs it: is it whole, and are the files that it names there?
//!
//! One line without a newline: `5:__DOLT__:lock:root:gcgen[:name:count]*` (Dolt `go/store/nbs/file_manifest.go`).
//! Version 4 lacks `gcgen`. A name is a table file, an archive (`name.darc`) or, 32 times `v`, the journal.

use std::fs;
use std::io;
use std::path::Path;

const JOURNAL: &str = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";

/// What is wrong with the store in this `noms` directory; `None` if nothing that can be seen from outside.
pub(super) fn problem_of_store(noms: &Path) -> Option<String> {
    match fs::read_to_string(noms.join("manifest")) {
        Err(e) => return Some(format!("its manifest cannot be read: {e}")),
        Ok(text) => {
            if let Some(problem) = problem_of(&text, noms, "manifest") {
                return Some(problem);
            }
        }
    }
    let oldgen = noms.join("oldgen");
    match fs::read_to_string(oldgen.join("manifest")) {
        Ok(text) => problem_of(&text, &oldgen, "oldgen/manifest"),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => Some(format!("its oldgen/manifest cannot be read: {e}")),
    }
}

fn problem_of(text: &str, dir: &Path, shown: &str) -> Option<String> {
    let names = match names_in(text) {
        Ok(names) => names,
        Err(problem) => return Some(format!("its {shown} is damaged ({problem})")),
    };
    for name in names {
        if !dir.join(name).exists() && !dir.join(format!("{name}.darc")).exists() {
            let what = if name == JOURNAL { "the journal" } else { "table file" };
            return Some(format!("its {shown} names {what} {name}, which is missing"));
        }
    }
    None
}

fn names_in(text: &str) -> Result<Vec<&str>, String> {
    let fields: Vec<&str> = text.split(':').collect();
    let fixed = match fields.first() {
        Some(&"5") => 5,
        Some(&"4") => 4,
        _ => return Err(format!("{} bytes, no known version", text.len())),
    };
    if fields.len() < fixed {
        return Err(format!("cut off after {} bytes", text.len()));
    }
    if fields.get(1) != Some(&"__DOLT__") {
        return Err(format!("storage format {}", fields.get(1).unwrap_or(&"?")));
    }
    for hash in fields.get(2..fixed).unwrap_or_default() {
        if !is_hash(hash) {
            return Err(format!("{hash:?} is not a hash"));
        }
    }
    let specs = fields.get(fixed..).unwrap_or_default();
    let mut names = Vec::new();
    for spec in specs.chunks(2) {
        match spec {
            [name, count] if is_hash(name) && count.parse::<u32>().is_ok() => names.push(*name),
            _ => return Err(format!("{:?} is not a file and its chunk count", spec.join(":"))),
        }
    }
    Ok(names)
}

fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'v').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "5:__DOLT__:qo8tbp2uanssmp6qi6vuhm312s6gak2s:4t59ulmf14hu33urqepdvsjlotudu716:00000000000000000000000000000000:vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv:9";

    #[test]
    fn f19b_a_manifest_cut_at_any_byte_is_noticed_or_names_a_missing_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(JOURNAL), "x").unwrap();
        fs::write(dir.path().join("manifest"), WHOLE).unwrap();
        assert_eq!(problem_of_store(dir.path()), None);
        // Cut right after the fixed fields it is a whole manifest of an empty store; there is nothing to notice.
        let still_whole = WHOLE.find(":vvvv").unwrap();
        for len in (0..WHOLE.len()).filter(|l| *l != still_whole) {
            assert!(names_in(&WHOLE[..len]).is_err(), "{len}");
        }
    }

    #[test]
    fn a_missing_table_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let table = "0123456789abcdefghijklmnopqrstuv";
        fs::write(dir.path().join("manifest"), WHOLE.replace(JOURNAL, table)).unwrap();
        assert!(problem_of_store(dir.path()).unwrap().contains(table));
        fs::write(dir.path().join(format!("{table}.darc")), "x").unwrap();
        assert_eq!(problem_of_store(dir.path()), None);
        fs::create_dir(dir.path().join("oldgen")).unwrap();
        fs::write(dir.path().join("oldgen/manifest"), "5:__LD_1__:").unwrap();
        assert!(problem_of_store(dir.path()).unwrap().contains("oldgen"));
    }
}
