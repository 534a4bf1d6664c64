//! The manifest: which files make up a store, and since which garbage collection.
//!
//! One line without a newline, fields split by `:` (Dolt `go/store/nbs/file_manifest.go`):
//! `5:__DOLT__:lock:root:gcgen[:name:count]*`; version 4 lacks `gcgen`. It is replaced by rename, so a reader sees it whole.
//! Its root is out of date while it names a journal: then the journal's last root record counts.

use std::fs;
use std::io;
use std::path::Path;

use crate::{Error, Hash, Result};

/// The name under which a manifest lists the journal, and the journal's file name: 32 times `v`.
pub(crate) const JOURNAL: &str = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";

/// A file that a manifest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Its name; the file is `name` (table file) or `name.darc` (archive).
    pub name: Hash,
    /// How many chunks it holds. Exact for table files only.
    pub chunks: u32,
}

/// A manifest as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Format version, 4 or 5.
    pub version: u8,
    /// Checksum over root and names; not needed for reading.
    pub lock: Hash,
    /// The root at the last flush.
    pub root: Hash,
    /// Changes with every garbage collection. Zeros before the first.
    pub gc_generation: Hash,
    /// Whether the store has a journal.
    pub has_journal: bool,
    /// The other files, in order.
    pub sources: Vec<Source>,
}

impl Manifest {
    /// Reads a manifest. `Ok(None)`: there is none.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Io { path: path.to_owned(), source }),
        };
        let damaged = |problem: String| Error::Damaged { path: path.to_owned(), offset: 0, problem };
        let text = std::str::from_utf8(&text).map_err(|_| damaged("it is no text".to_owned()))?;
        let unsupported = |what: String| Error::Unsupported { path: path.to_owned(), what };
        match text.split(':').nth(1) {
            Some("__DOLT__") | None => {}
            Some(other) => return Err(unsupported(format!("storage format {other:?}"))),
        }
        match text.split(':').next() {
            Some("4" | "5") => {}
            Some(other) if !other.is_empty() && other.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(unsupported(format!("manifest version {other}")));
            }
            _ => return Err(damaged(format!("{} bytes, no manifest", text.len()))),
        }
        Self::parse(text).map(Some).map_err(damaged)
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut fields = text.split(':');
        let version: u8 = fields.next().and_then(|f| f.parse().ok()).ok_or("no version")?;
        fields.next().ok_or("no storage format")?;
        let mut hash = |what: &str| {
            let text = fields.next().ok_or_else(|| format!("it ends before the {what}"))?;
            Hash::parse(text).ok_or_else(|| format!("the {what} {text:?} is no address"))
        };
        let (lock, root) = (hash("lock")?, hash("root")?);
        let gc_generation = if version >= 5 { hash("gc generation")? } else { Hash::NONE };
        let mut manifest =
            Self { version, lock, root, gc_generation, has_journal: false, sources: Vec::new() };
        while let Some(name) = fields.next() {
            let count = fields.next().ok_or_else(|| format!("{name:?} has no chunk count"))?;
            let chunks = count.parse().map_err(|_| format!("the chunk count {count:?} is no number"))?;
            if name == JOURNAL {
                manifest.has_journal = true;
                continue;
            }
            let name = Hash::parse(name).ok_or_else(|| format!("{name:?} is no file name"))?;
            manifest.sources.push(Source { name, chunks });
        }
        Ok(manifest)
    }

    /// The manifest of a store that has only a journal.
    pub(super) fn first(root: Hash) -> Self {
        Self {
            version: 5,
            lock: Hash::NONE,
            root,
            gc_generation: Hash::NONE,
            has_journal: true,
            sources: Vec::new(),
        }
    }

    /// The text of a manifest of version 5, and its checksum.
    pub(super) fn text(&self) -> String {
        use std::fmt::Write;
        let lock = self.checksum();
        let mut text = format!("5:__DOLT__:{lock}:{}:{}", self.root, self.gc_generation);
        for Source { name, chunks } in &self.sources {
            write!(text, ":{name}:{chunks}").unwrap_or_default();
        }
        if self.has_journal {
            // The count of a journal is only information, and ours is none.
            write!(text, ":{JOURNAL}:0").unwrap_or_default();
        }
        text
    }

    // Over the root and the names, in their order; zero bytes stand around these.
    fn checksum(&self) -> Hash {
        let mut bytes = self.root.as_bytes().to_vec();
        bytes.push(0);
        for source in &self.sources {
            bytes.extend(source.name.as_bytes());
        }
        if self.has_journal {
            bytes.extend(Hash::parse(JOURNAL).unwrap_or_default().as_bytes());
        }
        bytes.push(0);
        Hash::of(&bytes)
    }

    /// Whether both name the same files since the same collection; root, lock and counts may differ.
    pub fn names_same_files(&self, other: &Self) -> bool {
        let names = |m: &Self| m.sources.iter().map(|s| s.name).collect::<Vec<_>>();
        self.gc_generation == other.gc_generation
            && self.has_journal == other.has_journal
            && names(self) == names(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Written by Dolt 1.88.1's `dolt init`.
    const REAL: &str = "5:__DOLT__:qo8tbp2uanssmp6qi6vuhm312s6gak2s:4t59ulmf14hu33urqepdvsjlotudu716:00000000000000000000000000000000:vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv:9";

    fn read(text: &[u8]) -> Result<Option<Manifest>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest");
        fs::write(&path, text).unwrap();
        Manifest::read(&path)
    }

    #[test]
    fn a_real_manifest_is_read() {
        let manifest = read(REAL.as_bytes()).unwrap().unwrap();
        assert!(manifest.has_journal && manifest.sources.is_empty() && manifest.gc_generation.is_none());
        assert_eq!(manifest.root.to_string(), "4t59ulmf14hu33urqepdvsjlotudu716");
        assert!(Manifest::read(Path::new("/nonexistent/manifest")).unwrap().is_none());
        assert_eq!(manifest.text(), REAL.replace(":9", ":0"));
    }

    #[test]
    fn one_of_version_4_has_no_generation() {
        let (root, name) = (Hash::of(b"root"), Hash::of(b"name"));
        let text = format!("4:__DOLT__:{}:{root}:{name}:12", Hash::of(b"lock"));
        let manifest = read(text.as_bytes()).unwrap().unwrap();
        assert_eq!((manifest.version, manifest.root), (4, root));
        assert!(manifest.gc_generation.is_none() && !manifest.has_journal);
        assert_eq!(manifest.sources.iter().map(|s| s.name).collect::<Vec<_>>(), [name]);
    }

    #[test]
    fn foreign_formats_and_damage_are_told_apart() {
        assert!(matches!(read(REAL.replace("5:", "6:").as_bytes()), Err(Error::Unsupported { .. })));
        assert!(matches!(
            read(REAL.replace("__DOLT__", "__LD_1__").as_bytes()),
            Err(Error::Unsupported { .. })
        ));
        assert!(matches!(read(format!("{REAL}\n").as_bytes()), Err(Error::Damaged { .. })));
        assert!(matches!(read(b""), Err(Error::Damaged { .. })));
        let cut = REAL.find(":vvvv").unwrap();
        for len in (0..REAL.len()).filter(|l| *l != cut) {
            assert!(read(&REAL.as_bytes()[..len]).is_err(), "{len}");
        }
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(read(&noise));
        }
    }
}
