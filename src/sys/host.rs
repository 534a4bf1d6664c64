//! The name of this machine.

use std::io;

/// As `gethostname` gives it. Not a path and not unique: it only tells copies on different machines apart.
#[expect(unsafe_code, reason = "no library that we use has this call")]
pub fn name() -> io::Result<String> {
    let mut buffer = [0u8; 256];
    // SAFETY: the pointer and the length are those of one buffer, which outlives the call; one byte is kept for the end.
    let done = unsafe { nix::libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    let end = buffer.iter().position(|b| *b == 0).unwrap_or(buffer.len());
    Ok(String::from_utf8_lossy(&buffer[..end]).into_owned())
}
