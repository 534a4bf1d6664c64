//! The `gt` program.

fn main() -> std::process::ExitCode {
    gt::cli::run()
}
