//! How the programs are linked.
//!
//! On Linux they lie at a fixed address. A program that can lie anywhere is corrected at some thirty thousand places each time it
//! starts, which takes half a millisecond, and a whole one when the caches are cold: a third of a short command. What it gives up is
//! one of the defences that programs need whose memory can be overwritten; libraries, stack and heap still lie at random.
//!
//! They also bring along what unwinds the stack, where the compiler has it to be linked in: to find and load `libgcc_s` takes a tenth of
//! a millisecond more. Without it, the shared one is loaded.

use std::path::Path;
use std::process::Command;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script about the target in its environment"
)]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    if var("CARGO_CFG_TARGET_OS") != "linux" || var("CARGO_CFG_TARGET_ENV") != "gnu" {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-no-pie");
    let linker = Some(var("RUSTC_LINKER")).filter(|linker| !linker.is_empty());
    if var("TARGET") == var("HOST") && has_static_unwinder(linker.as_deref().unwrap_or("cc")) {
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Whether the program that links has a `libgcc_eh.a`: it prints where, or the bare name.
#[expect(clippy::disallowed_methods, reason = "this is no room of the program")]
fn has_static_unwinder(linker: &str) -> bool {
    let found = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    found.is_ok_and(|found| {
        let path = String::from_utf8_lossy(&found.stdout);
        found.status.success() && Path::new(path.trim()).is_absolute()
    })
}
