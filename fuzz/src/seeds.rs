//! Writes the inputs that each target begins with to `fuzz/corpus`: parts of databases that the real Dolt made.

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    for (target, _) in dolt_store::fuzzing::TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        for (n, seed) in dolt_store::fuzzing::seeds(target).into_iter().enumerate() {
            fs::write(corpus.join(format!("seed-{n:03}")), seed)?;
        }
    }
    Ok(())
}
