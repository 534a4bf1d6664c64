//! How the programs are linked.
//!
//! On Linux they lie at a fixed address. A program that can lie anywhere is corrected at some thirty thousand places each time it
//! starts, which takes half a millisecond, and a whole one when the caches are cold: a third of a short command. What it gives up is
//! one of the defences that programs need whose memory can be overwritten; libraries, stack and heap still lie at random.

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script about the target in its environment"
)]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(name).unwrap_or_default();
    if target("CARGO_CFG_TARGET_OS") == "linux" && target("CARGO_CFG_TARGET_ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
