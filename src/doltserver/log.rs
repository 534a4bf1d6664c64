//! The server's log, `daemon/dolt.log`: its tail, its lines since a moment, its last error, rotation.
//!
//! The server appends to it through a descriptor of its own, so it is rotated only while no server runs. Lines are
//! logrus text (`time="…" level=warning msg="…"`) or plain text that Dolt prints before it gives up.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::ServerError;
use crate::sys::clock::Timestamp;
use crate::town::{Town, TownError};

/// A log larger than this is rotated at the next start.
const ROTATE_ABOVE_BYTES: u64 = 100 << 20;
/// How many old logs are kept.
const KEEP: u32 = 3;

/// Opens the log for a server to append to, rotating it first if it has grown too large. Returns its length.
pub(super) fn open_for_server(town: &Town) -> Result<(File, u64), ServerError> {
    let path = town.log_file();
    let dir = town.daemon_dir();
    fs::create_dir_all(&dir).map_err(|source| TownError::MakeDir { path: dir, source })?;
    if fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() > ROTATE_ABOVE_BYTES) {
        rotate(&path).map_err(ServerError::io(format!("rotate {}", path.display())))?;
    }
    let open = || {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    };
    open().map_err(ServerError::io(format!("open the log {}", path.display())))
}

fn rotate(path: &Path) -> io::Result<()> {
    let numbered = |n: u32| path.with_file_name(format!("dolt.log.{n}"));
    for n in (1..KEEP).rev() {
        match fs::rename(numbered(n), numbered(n + 1)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

/// The last `count` lines of the first `length` bytes.
pub fn tail(town: &Town, count: usize, length: u64) -> Result<Vec<String>, ServerError> {
    let mut kept = VecDeque::new();
    for line in lines(town, length)? {
        if kept.len() == count {
            kept.pop_front();
        }
        if count > 0 {
            kept.push_back(line);
        }
    }
    Ok(kept.into())
}

/// The lines from a moment on, of the first `length` bytes. A line without a time belongs to the one before it.
pub fn since(town: &Town, moment: Timestamp, length: u64) -> Result<Vec<String>, ServerError> {
    let mut within = false;
    let mut kept = Vec::new();
    for line in lines(town, length)? {
        if let Some(time) = time_of(&line) {
            within = time >= moment;
        }
        if within {
            kept.push(line);
        }
    }
    Ok(kept)
}

/// When the log was last written to, by its last line that has a time, else by the file.
pub fn last_sign_of_life(town: &Town) -> Option<Timestamp> {
    let path = town.log_file();
    let size = fs::metadata(&path).ok()?.len();
    let recent = read_from(&path, size.saturating_sub(64 << 10)).ok()?;
    let stamped = String::from_utf8_lossy(&recent).lines().rev().find_map(time_of);
    let modified = || Timestamp::try_from(fs::metadata(&path).ok()?.modified().ok()?).ok();
    stamped.or_else(modified)
}

/// The text that was appended after `offset`.
pub fn appended(town: &Town, offset: u64) -> String {
    String::from_utf8_lossy(&appended_bytes(town, offset)).into_owned()
}

/// The bytes that were appended after `offset`.
pub fn appended_bytes(town: &Town, offset: u64) -> Vec<u8> {
    read_from(&town.log_file(), offset).unwrap_or_default()
}

/// How long the log is now; 0 if there is none.
pub fn length(town: &Town) -> u64 {
    fs::metadata(town.log_file()).map_or(0, |m| m.len())
}

/// The line that says why the server gave up: a panic, else the last plain line, else the last logged error.
pub fn last_error(text: &str) -> Option<String> {
    let lines = || text.lines().map(str::trim).filter(|l| !l.is_empty());
    let panic = lines().find(|l| l.starts_with("panic:") || l.starts_with("fatal error:"));
    let plain = || {
        let chatter = ["Starting server with Config", "goroutine ", "\t", "github.com/"];
        lines().rfind(|l| !l.starts_with("time=") && !chatter.iter().any(|c| l.starts_with(c)))
    };
    let logged = || lines().rfind(|l| l.contains("level=error") || l.contains("level=fatal"));
    let line = panic.or_else(plain).or_else(logged)?;
    Some(message_of(line).unwrap_or_else(|| line.to_owned()))
}

/// The time of a log line, if it has one.
pub fn time_of(line: &str) -> Option<Timestamp> {
    let rest = line.trim_start().strip_prefix("time=\"")?;
    rest.split('"').next()?.parse().ok()
}

fn message_of(line: &str) -> Option<String> {
    let start = line.find("msg=\"")? + "msg=".len();
    let mut stream = serde_json::Deserializer::from_str(line.get(start..)?).into_iter::<String>();
    stream.next()?.ok()
}

fn lines(town: &Town, length: u64) -> Result<impl Iterator<Item = String>, ServerError> {
    let path = town.log_file();
    let open = || {
        let file = File::open(&path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        Ok(BufReader::new(file.take(length)))
    };
    let reader = open().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ServerError::NoLog { path: path.clone() },
        _ => ServerError::Io { what: format!("read {}", path.display()), source },
    })?;
    let line = |bytes: io::Result<Vec<u8>>| Some(String::from_utf8_lossy(&bytes.ok()?).into_owned());
    Ok(reader.split(b'\n').map_while(line))
}

fn read_from(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_the_cause_and_not_the_chatter() {
        let locked =
            "Starting server with Config HP=\"x\"\ndatabase \"alpha\" is locked by another dolt process\n";
        assert!(last_error(locked).unwrap().starts_with("database \"alpha\""));
        let logged = "time=\"2026-11-21T09:44:09Z\" level=warning msg=\"a\"\ntime=\"2026-11-21T09:44:09Z\" level=error msg=\"Port \\\"1\\\" in use\"\n";
        assert_eq!(last_error(logged).unwrap(), "Port \"1\" in use");
        assert_eq!(last_error("panic: boom\ngoroutine 1:\n").unwrap(), "panic: boom");
        assert_eq!(last_error(""), None);
    }

    #[test]
    fn lines_since_a_moment_bring_their_continuations() {
        let dir = tempfile::tempdir().unwrap();
        let town = Town::at(dir.path());
        fs::create_dir(town.daemon_dir()).unwrap();
        let text = "old\ntime=\"2026-11-21T09:00:00Z\" level=info msg=\"a\"\n  more\ntime=\"2026-11-21T10:00:00Z\" level=info msg=\"b\"\n  stack\n";
        fs::write(town.log_file(), text).unwrap();
        let found = since(&town, "2026-11-21T09:30:00Z".parse().unwrap(), u64::MAX).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[1].contains("stack"));
        assert_eq!(tail(&town, 1, length(&town)).unwrap(), ["  stack"]);
        assert_eq!(last_sign_of_life(&town).unwrap(), "2026-11-21T10:00:00Z".parse().unwrap());
    }
}
