//! A store beside its owner: opened without any lock, refreshed for the price of one read of the journal's end and one
//! small file.
//!
//! The order of the steps is what makes it right while a server commits and collects garbage. Cold: manifest → journal →
//! table files, all kept open → the old generation's manifest and files → manifest again; another generation or other
//! names: from the start. Warm: the journal first, the manifest after it. The root is the journal's last root record if
//! the manifest names a journal, else the manifest's. `docs/format.md` has the measurements behind it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use thread_local::ThreadLocal;

use super::archive::Archive;
use super::contents::{Contents, StoredChunk};
use super::index_cache::CacheFile;
use super::journal::{Found, Journal};
use super::manifest::{JOURNAL, Manifest};
use super::snappy;
use super::sweep::Sweep;
use super::table_file::TableFile;
use crate::bytes::{slice, to_usize};
use crate::hash::{AddressMap, AddressSet};
use crate::{Error, Hash, Result};

/// How often a cold open begins again before it gives up: some four seconds. A collection under load leaves the files
/// incomplete for many milliseconds at a time.
const ATTEMPTS: u32 = 90;

/// So many attempts follow one another at once, and need no reason.
const AT_ONCE: u32 = 4;

/// Whoever moves files of the store about has changed one of its directories as recently as this. After it nothing is
/// being changed any more: what is missing then is missing for good.
const RECENT: Duration = Duration::from_secs(5);

/// How a store is opened.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Read what can be read of a store whose journal has lost something. Otherwise such a store is refused: its last
    /// readable root is not the newest.
    pub despite_loss: bool,
    /// A directory, outside every database, for caches of where the chunks of large journals lie. They are never believed
    /// without proof; without one, each opening of a large journal reads all of it.
    pub index_cache: Option<PathBuf>,
}

/// A database's chunk store, read only.
#[derive(Debug)]
pub struct Store {
    noms: PathBuf,
    options: ReadOptions,
    generation: RwLock<Arc<Generation>>,
}

/// A state of the store that does not change: one root and every chunk that it needs. Cheap to clone, readable as long as
/// it is kept, whatever a garbage collection does to the files' names.
#[derive(Debug, Clone)]
pub struct Snapshot {
    root: Hash,
    generation: Arc<Generation>,
    // Clones of a draft share it.
    draft: Option<Arc<Draft>>,
}

type Chunks = AddressMap<Vec<u8>>;

/// What a change is made of.
#[derive(Debug, Default)]
struct Draft {
    // Chunks that are not in any file yet.
    added: RwLock<Chunks>,
    // Chunks of the files that the change has looked at, and their bytes together. It looks at most of them again, and what
    // they refer to need not be looked for: nearly all that a changed node refers to is what the node before it did.
    seen: RwLock<(Chunks, usize)>,
}

/// So many bytes of chunks that were seen are kept.
const SEEN_BYTES: usize = 8 << 20;

impl Draft {
    fn added(&self, hash: Hash) -> Option<Vec<u8>> {
        self.added.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned()
    }

    fn seen(&self, hash: Hash) -> Option<Vec<u8>> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).0.get(&hash).cloned()
    }

    fn saw(&self, hash: Hash, bytes: &[u8]) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let (chunks, total) = &mut *seen;
        let more = total.saturating_add(bytes.len());
        if more <= SEEN_BYTES && chunks.insert(hash, bytes.to_vec()).is_none() {
            *total = more;
        }
    }

    // Everything that the chunks refer to which were seen.
    fn referred_to(
        &self,
        references: impl Fn(&[u8]) -> std::result::Result<Vec<Hash>, String>,
    ) -> AddressSet {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        // One that cannot be understood vouches for nothing.
        seen.0.values().filter_map(|bytes| references(bytes).ok()).flatten().collect()
    }
}

// Threads share stores and states.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<(Store, Snapshot)>();
};

#[derive(Debug)]
struct Generation {
    manifest: Manifest,
    journal: Option<Journal>,
    files: Vec<ChunkFile>,
    ghosts: HashSet<Hash>,
    recent: Recent,
}

/// Small chunks that are asked for again and again: most rows have the same empty document. Each thread has its own.
#[derive(Debug, Default)]
struct Recent(ThreadLocal<RefCell<Kept>>);

type Kept = Vec<(Hash, Vec<u8>)>;

impl Recent {
    const KEPT: usize = 16;
    const BYTES: usize = 512;

    fn get(&self, hash: Hash) -> Option<Vec<u8>> {
        let mut kept = self.0.get_or_default().borrow_mut();
        let at = kept.iter().position(|(known, _)| *known == hash)?;
        // What is asked for again is not the next to go.
        kept.swap(0, at);
        kept.first().map(|(_, bytes)| bytes.clone())
    }

    fn keep(&self, hash: Hash, bytes: &[u8]) {
        if bytes.len() > Self::BYTES {
            return;
        }
        let mut kept = self.0.get_or_default().borrow_mut();
        if kept.len() >= Self::KEPT {
            kept.pop();
        }
        let second = kept.len().min(1);
        kept.insert(second, (hash, bytes.to_vec()));
    }
}

#[derive(Debug)]
enum ChunkFile {
    Table(Box<TableFile>),
    Archive(Box<Archive>),
}

/// Part of a file, read at once.
#[derive(Debug)]
pub(crate) struct Run {
    start: u64,
    bytes: Vec<u8>,
}

/// A longer part is not read at once.
const MAX_RUN_BYTES: usize = 8 << 20;

// A cold open ends well, asks for another attempt, or fails.
enum Opened {
    Whole(Box<Generation>),
    Again(String),
}

impl Store {
    /// Opens the database in this directory: the one that holds `.dolt`, or `.dolt`, or `noms` itself.
    pub fn open_read(path: &Path, options: ReadOptions) -> Result<Self> {
        let noms = Self::locate(path)?;
        let generation = RwLock::new(Arc::new(open_cold(&noms, &options)?));
        let store = Self { noms, options, generation };
        if !store.options.despite_loss {
            store.check_journal_tail()?;
        }
        Ok(store)
    }

    /// The `noms` directory of the database in this directory.
    pub(super) fn locate(path: &Path) -> Result<PathBuf> {
        let candidates = [path.join(".dolt/noms"), path.join("noms"), path.to_owned()];
        let noms = candidates.into_iter().find(|p| p.join("manifest").is_file());
        noms.ok_or_else(|| Error::NotADatabase { path: path.to_owned() })
    }

    /// Where the journal's whole records end.
    pub(super) fn journal_end(&self) -> Result<u64> {
        let generation = Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner));
        let gone = || Error::Incomplete { path: self.noms.clone(), what: "there is no journal".to_owned() };
        let journal = generation.journal.as_ref().ok_or_else(gone)?;
        journal.refresh()?;
        Ok(journal.end())
    }

    /// The newest committed state.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let known = Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(root) = refresh(&self.noms, &known)? {
            return Ok(Snapshot { root, generation: known, draft: None });
        }
        // A collection has changed the files: everything is opened anew.
        let fresh = Arc::new(open_cold(&self.noms, &self.options)?);
        *self.generation.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        let root = fresh.root()?;
        Ok(Snapshot { root, generation: fresh, draft: None })
    }

    /// For whoever has just taken the lock: what was opened before is read on, if it is still what is there, and opened anew if
    /// it is not. A journal that has lost something is an error, because it must not be written behind.
    pub(super) fn renew(&self) -> Result<()> {
        let known = Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner));
        if known.journal.as_ref().map_or(Ok(true), Journal::goes_on)? {
            self.snapshot()?;
        } else {
            let fresh = Arc::new(open_cold(&self.noms, &self.options)?);
            *self.generation.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        self.check_journal_tail()
    }

    /// The `noms` directory.
    pub fn path(&self) -> &Path {
        &self.noms
    }

    /// Looks behind the journal's valid end for records that a damaged one hides. Beside a writing server the end may be half
    /// a record at one moment and whole ones at the next: only what stays where it is counts.
    pub fn check_journal_tail(&self) -> Result<()> {
        let generation = Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner));
        let Some(journal) = &generation.journal else { return Ok(()) };
        let mut last = None;
        loop {
            match journal.check_tail() {
                Err(Error::DataLoss { offset, .. }) if last != Some(offset) => {
                    last = Some(offset);
                    journal.refresh()?;
                }
                other => return other,
            }
        }
    }
}

impl Snapshot {
    /// The address of the root chunk.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The bytes of a chunk that is known to be the one at this address: the record that it was read from names the address and
    /// passes its crc, or else the bytes have been hashed.
    pub fn chunk(&self, hash: Hash) -> Result<Vec<u8>> {
        match self.checked_chunk(hash) {
            Err(_) if self.generation.forget()? => self.checked_chunk(hash),
            done => done,
        }
    }

    /// Whether both are of the same files, so that a chunk that one of them has is there in the other.
    pub(crate) fn has_same_files(&self, other: &Self) -> bool {
        self.generation.manifest.names_same_files(&other.generation.manifest)
    }

    /// A draft on top of nothing.
    pub(crate) fn empty() -> Self {
        let generation = Generation {
            manifest: Manifest::first(Hash::NONE),
            journal: None,
            files: Vec::new(),
            ghosts: HashSet::new(),
            recent: Recent::default(),
        };
        Self { root: Hash::NONE, generation: Arc::new(generation), draft: Some(Arc::default()) }
    }

    /// The same chunks under another root.
    pub(crate) fn at(self, root: Hash) -> Self {
        Self { root, ..self }
    }

    /// The same state, to which chunks can be added that nobody else sees.
    pub(crate) fn draft(&self) -> Self {
        Self { draft: Some(Arc::default()), ..self.clone() }
    }

    /// Adds a chunk to a draft.
    pub(crate) fn put(&self, bytes: Vec<u8>) -> Result<Hash> {
        let hash = Hash::of(&bytes);
        let Some(draft) = &self.draft else { return Err(Error::ReadOnly) };
        draft.added.write().unwrap_or_else(PoisonError::into_inner).entry(hash).or_insert(bytes);
        Ok(hash)
    }

    /// The chunks that were added to a draft and that `root` needs, itself included. Whatever they refer to beside that must
    /// be in the store.
    pub(crate) fn drafted_from(
        &self,
        root: Hash,
        references: impl Fn(&[u8]) -> std::result::Result<Vec<Hash>, String>,
    ) -> Result<Vec<(Hash, Vec<u8>)>> {
        let (mut found, mut seen, mut waiting) = (Vec::new(), AddressSet::default(), vec![root]);
        let known = self.draft.as_ref().map(|draft| draft.referred_to(&references)).unwrap_or_default();
        while let Some(hash) = waiting.pop() {
            if !seen.insert(hash) {
                continue;
            }
            let Some(bytes) = self.drafted(hash) else {
                if known.contains(&hash) || self.generation.has(hash)? || self.is_ghost(hash) {
                    continue;
                }
                return Err(Error::Dangling { hash });
            };
            if self.generation.keeps(hash, &bytes) {
                continue;
            }
            waiting.extend(references(&bytes).map_err(|problem| Error::BadChunk { hash, problem })?);
            found.push((hash, bytes));
        }
        found.reverse();
        Ok(found)
    }

    fn drafted(&self, hash: Hash) -> Option<Vec<u8>> {
        self.draft.as_ref()?.added(hash)
    }

    fn checked_chunk(&self, hash: Hash) -> Result<Vec<u8>> {
        let at_hand = |draft: &Arc<Draft>| draft.added(hash).or_else(|| draft.seen(hash));
        if let Some(bytes) = self.draft.as_ref().and_then(at_hand) {
            return Ok(bytes);
        }
        if let Some(bytes) = self.generation.recent.get(hash) {
            return Ok(bytes);
        }
        let Found { bytes, is_named } = self.generation.find(hash)?.ok_or(Error::MissingChunk { hash })?;
        if !is_named {
            let found = Hash::of(&bytes);
            if found != hash {
                return Err(Error::WrongAddress { hash, found });
            }
        }
        self.generation.recent.keep(hash, &bytes);
        if let Some(draft) = &self.draft {
            draft.saw(hash, &bytes);
        }
        Ok(bytes)
    }

    /// Whether some file of the store has the chunk.
    pub fn has(&self, hash: Hash) -> Result<bool> {
        Ok(self.drafted(hash).is_some() || self.generation.has(hash)?)
    }

    /// Whether the chunk is known to be left out of a shallow clone: it exists elsewhere, not here.
    pub fn is_ghost(&self, hash: Hash) -> bool {
        self.generation.ghosts.contains(&hash)
    }

    /// What is in each file of the store: the journal first, then the table files and archives of both generations. A file
    /// whose index cannot be read gives its error in its place.
    pub fn contents(&self) -> Vec<Result<Contents>> {
        let journal = self.generation.journal.iter().map(Journal::contents);
        journal.chain(self.file_contents().into_iter().map(|(_, contents)| contents)).collect()
    }

    /// The same without the journal, each with its position there.
    pub(crate) fn file_contents(&self) -> Vec<(usize, Result<Contents>)> {
        let contents = |file: &ChunkFile| match file {
            ChunkFile::Table(table) => table.contents(),
            ChunkFile::Archive(archive) => archive.contents(),
        };
        let first = usize::from(self.generation.journal.is_some());
        (first..).zip(self.generation.files.iter().map(contents)).collect()
    }

    /// The journal's contents, if there is one, whose position is 0.
    pub(crate) fn journal_contents(&self) -> Option<Result<Contents>> {
        self.generation.journal.as_ref().map(Journal::contents)
    }

    /// The whole journal, to be read once by several threads; and how many chunks are expected there.
    pub(crate) fn sweep(&self) -> Option<(Sweep<'_>, u64)> {
        self.generation.journal.as_ref().map(|journal| (journal.sweep(), journal.count()))
    }

    /// The bytes of a chunk from the file at this position of [`Snapshot::contents`], checked against its address.
    pub fn stored(&self, file: usize, chunk: &StoredChunk) -> Result<Vec<u8>> {
        let bytes = match (&self.generation.journal, file) {
            (Some(journal), 0) => journal.stored(chunk)?,
            _ => match self.chunk_file(file).ok_or(Error::MissingChunk { hash: chunk.hash })? {
                ChunkFile::Table(table) => table.chunk_at(chunk.key)?,
                ChunkFile::Archive(archive) => archive.stored(chunk)?,
            },
        };
        let found = Hash::of(&bytes);
        if found == chunk.hash { Ok(bytes) } else { Err(Error::WrongAddress { hash: chunk.hash, found }) }
    }

    /// What lies in a file from the first of these chunks to the last, if their stored forms follow one another there: one
    /// read for all of them.
    pub(crate) fn run_of(&self, file: usize, chunks: &[StoredChunk]) -> Option<Run> {
        let file = match (&self.generation.journal, file) {
            (Some(journal), 0) => journal.file(),
            _ => match self.chunk_file(file)? {
                ChunkFile::Table(table) => table.file(),
                ChunkFile::Archive(archive) => archive.file(),
            },
        };
        let (first, last) = (chunks.first()?, chunks.last()?);
        let len = last.offset.checked_add(last.stored_bytes)?.checked_sub(first.offset)?;
        let len = to_usize(len).filter(|len| *len <= MAX_RUN_BYTES)?;
        Some(Run { start: first.offset, bytes: file.read_up_to(first.offset, len).ok()? })
    }

    /// [`Snapshot::stored`], from a run if that has the chunk.
    pub(crate) fn stored_in(&self, run: Option<&Run>, file: usize, chunk: &StoredChunk) -> Result<Vec<u8>> {
        let stored = run.and_then(|run| run.stored(chunk));
        let bytes = stored.and_then(|stored| match self.chunk_file(file) {
            Some(ChunkFile::Archive(archive)) => archive.decode(chunk, stored).ok(),
            _ => snappy::decode(stored).ok(),
        });
        // Whatever is wrong with it is told better by the file itself.
        match bytes.filter(|bytes| Hash::of(bytes) == chunk.hash) {
            Some(bytes) => Ok(bytes),
            None => self.stored(file, chunk),
        }
    }

    // By position in the contents; none at that of the journal.
    fn chunk_file(&self, i: usize) -> Option<&ChunkFile> {
        self.generation.files.get(i.checked_sub(usize::from(self.generation.journal.is_some()))?)
    }

    /// The bytes of a chunk that was checked before: only what its file checks by itself (a crc) is checked again.
    pub(crate) fn known_chunk(&self, hash: Hash) -> Result<Vec<u8>> {
        if let Some(bytes) = self.drafted(hash) {
            return Ok(bytes);
        }
        Ok(self.generation.find(hash)?.ok_or(Error::MissingChunk { hash })?.bytes)
    }

    /// How many chunks the table files and archives of both generations hold.
    pub fn chunks_in_files(&self) -> u64 {
        let count = |file: &ChunkFile| match file {
            ChunkFile::Table(table) => table.count(),
            ChunkFile::Archive(archive) => archive.count(),
        };
        self.generation.files.iter().map(count).fold(0, u64::saturating_add)
    }
}

impl Run {
    fn stored(&self, chunk: &StoredChunk) -> Option<&[u8]> {
        let at = to_usize(chunk.offset.checked_sub(self.start)?)?;
        slice(&self.bytes, at, to_usize(chunk.stored_bytes)?)
    }
}

impl Generation {
    fn root(&self) -> Result<Hash> {
        match &self.journal {
            None => Ok(self.manifest.root),
            Some(journal) => Ok(journal.refresh()?.unwrap_or(self.manifest.root)),
        }
    }

    // Dolt's index of the journal is a cache that can be wrong, and so are blocks of a journal that was cut shorter meanwhile;
    // the journal itself then decides.
    fn forget(&self) -> Result<bool> {
        let Some(journal) = &self.journal else { return Ok(false) };
        Ok(journal.forget_blocks() | journal.forget_index()?)
    }

    fn find(&self, hash: Hash) -> Result<Option<Found>> {
        if let Some(found) = self.journal.as_ref().map(|j| j.get(hash)).transpose()?.flatten() {
            return Ok(Some(found));
        }
        for file in &self.files {
            let found = match file {
                ChunkFile::Table(table) => table.get(hash)?,
                ChunkFile::Archive(archive) => archive.get(hash)?,
            };
            // Nothing beside the bytes tells what they are.
            if let Some(bytes) = found {
                return Ok(Some(Found { bytes, is_named: false }));
            }
        }
        Ok(None)
    }

    /// Whether a chunk need not be written again. An index that lies must not make us leave one out, nor a writer that has not told a
    /// root yet and takes back what it wrote.
    fn keeps(&self, hash: Hash, bytes: &[u8]) -> bool {
        let is_unsettled = self.journal.as_ref().map_or(Ok(false), |journal| journal.is_unsettled(hash));
        is_unsettled.is_ok_and(|is_unsettled| !is_unsettled)
            && self.find(hash).is_ok_and(|stored| stored.is_some_and(|stored| stored.bytes == bytes))
    }

    fn has(&self, hash: Hash) -> Result<bool> {
        if self.journal.as_ref().map_or(Ok(false), |j| j.has(hash))? {
            return Ok(true);
        }
        for file in &self.files {
            let has = match file {
                ChunkFile::Table(table) => table.has(hash)?,
                ChunkFile::Archive(archive) => archive.has(hash)?,
            };
            if has {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

// The newest root of a known generation, or `None` if the files are no longer these. The journal is read before the
// manifest: the other way round a commit that a collection has just moved could be missed.
fn refresh(noms: &Path, known: &Generation) -> Result<Option<Hash>> {
    if !known.journal.as_ref().map_or(Ok(true), Journal::is_at_its_path)? {
        return Ok(None);
    }
    let from_journal = known.journal.as_ref().map(Journal::refresh).transpose()?;
    let manifest = Manifest::read(&noms.join("manifest"))?;
    let manifest = manifest.ok_or_else(|| Error::NotADatabase { path: noms.to_owned() })?;
    if !manifest.names_same_files(&known.manifest) {
        return Ok(None);
    }
    match from_journal {
        None => Ok(Some(manifest.root)),
        Some(root) => Ok(root),
    }
}

// The first attempts follow at once; then whoever changes the files gets time to finish.
#[expect(
    clippy::disallowed_methods,
    reason = "the pause between two looks at a condition, bounded by the attempts"
)]
fn pause_before(attempt: u32) {
    let millis = u64::from(attempt.saturating_add(1).saturating_sub(AT_ONCE)).saturating_mul(5).min(50);
    if millis > 0 {
        std::thread::sleep(Duration::from_millis(millis));
    }
}

// Files are made, renamed and deleted in these directories, which dates them. A date in the future tells nothing, and
// counts as recent.
fn changed_recently(noms: &Path) -> bool {
    [noms.to_owned(), noms.join("oldgen")].iter().any(|dir| {
        let modified = fs::metadata(dir).and_then(|m| m.modified());
        modified.is_ok_and(|at| at.elapsed().map_or(true, |age| age < RECENT))
    })
}

fn open_cold(noms: &Path, options: &ReadOptions) -> Result<Generation> {
    let mut last = String::new();
    for n in 0..ATTEMPTS {
        pause_before(n);
        match attempt(noms, options)? {
            Opened::Whole(generation) => return Ok(*generation),
            Opened::Again(what) if n.saturating_add(1) >= AT_ONCE && !changed_recently(noms) => {
                return Err(Error::Incomplete { path: noms.to_owned(), what });
            }
            Opened::Again(why) => last = why,
        }
    }
    Err(Error::KeepsChanging { path: noms.to_owned(), attempts: ATTEMPTS, last })
}

fn attempt(noms: &Path, options: &ReadOptions) -> Result<Opened> {
    let manifest_path = noms.join("manifest");
    let read =
        || Manifest::read(&manifest_path)?.ok_or_else(|| Error::NotADatabase { path: noms.to_owned() });
    let manifest = read()?;
    let mut journal = None;
    if manifest.has_journal {
        let cache = options.index_cache.as_deref().map(|directory| CacheFile::of(directory, noms));
        match Journal::open(noms.join(JOURNAL), cache)? {
            Some(opened) if opened.refresh()?.is_some() => journal = Some(opened),
            Some(_) => return Ok(Opened::Again("the journal has no root record yet".to_owned())),
            None => return Ok(Opened::Again("the journal that the manifest names is gone".to_owned())),
        }
    }
    let mut files = Vec::new();
    if let Err(gone) = open_files(noms, &manifest, &mut files)? {
        return Ok(Opened::Again(gone));
    }
    // New generation first: a collection adds to the old one before it takes away from the new one.
    let oldgen = noms.join("oldgen");
    if let Some(old) = Manifest::read(&oldgen.join("manifest"))?
        && let Err(gone) = open_files(&oldgen, &old, &mut files)?
    {
        return Ok(Opened::Again(gone));
    }
    let ghosts = read_ghosts(noms)?;
    if !read()?.names_same_files(&manifest) {
        return Ok(Opened::Again("the manifest changed".to_owned()));
    }
    Ok(Opened::Whole(Box::new(Generation { manifest, journal, files, ghosts, recent: Recent::default() })))
}

// The inner error is the name of a file that is gone: a collection was faster, begin again.
fn open_files(
    dir: &Path,
    manifest: &Manifest,
    files: &mut Vec<ChunkFile>,
) -> Result<std::result::Result<(), String>> {
    for source in &manifest.sources {
        let name = source.name.to_string();
        if let Some(table) = TableFile::open(dir.join(&name))? {
            files.push(ChunkFile::Table(Box::new(table)));
        } else if let Some(archive) = Archive::open(dir.join(format!("{name}.darc")))? {
            files.push(ChunkFile::Archive(Box::new(archive)));
        } else {
            return Ok(Err(format!("{} is gone", dir.join(name).display())));
        }
    }
    Ok(Ok(()))
}

fn read_ghosts(noms: &Path) -> Result<HashSet<Hash>> {
    let path = noms.join("ghostObjects.txt");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(|l| Hash::parse(l.trim())).collect()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(source) => Err(Error::Io { path, source }),
    }
}
