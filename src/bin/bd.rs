//! The `bd` program: the same as `gt bd`.

fn main() -> std::process::ExitCode {
    gt::cli::bd()
}
