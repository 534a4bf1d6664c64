//! How fast this machine computes what a verification cannot do without: SHA-512.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha512};

/// Bytes in a second, all cores at once, in pieces of so many bytes.
pub(crate) fn sha512_rate(piece: u32) -> f64 {
    let threads = std::thread::available_parallelism().unwrap().get();
    let limit = Duration::from_millis(300);
    let work = || {
        let bytes = vec![7u8; usize::try_from(piece).unwrap()];
        let (begun, mut done) = (Instant::now(), 0.0);
        while begun.elapsed() < limit {
            for _ in 0..64 {
                black_box(Sha512::digest(black_box(&bytes)));
                done += f64::from(piece);
            }
        }
        done / begun.elapsed().as_secs_f64()
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    })
}
