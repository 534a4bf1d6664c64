//! Two functions that libraries of ours expect of C's library for mathematics: a progress bar's speed and digits of large numbers
//! are all that needs it. To find and load it costs each command a tenth of a millisecond, so they are here, from Rust's.
//!
//! What could go wrong is that a library needs a third one: then the C library is loaded again, and nothing else happens
//! (`it::command_line` tells).

/// `pow` of C.
#[expect(unsafe_code, reason = "the name is C's, and the function is what C says")]
#[unsafe(no_mangle)]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// `log2` of C.
#[expect(unsafe_code, reason = "the name is C's, and the function is what C says")]
#[unsafe(no_mangle)]
extern "C" fn log2(x: f64) -> f64 {
    libm::log2(x)
}
