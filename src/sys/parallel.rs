//! Work in several parts at once, for what takes one processor milliseconds.
//!
//! What could go wrong is that no thread can be had, because a limit of the user or the container is reached: a part that gets
//! none is then done by the caller, one after another.

use std::thread;

/// More threads than this wait for one another.
const THREADS: usize = 4;

/// Into how many parts work is best split.
pub fn width() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(THREADS)
}

/// Does the parts `0..count`, the first by the caller and each other by a thread of its own. Gives what each gave, in their
/// order; a part that panics does so here.
pub fn parts<T: Send>(count: usize, work: &(dyn Fn(usize) -> T + Sync)) -> Vec<T> {
    thread::scope(|scope| {
        let begin = |n| thread::Builder::new().spawn_scoped(scope, move || work(n)).map_err(|_| n);
        let others: Vec<_> = (1..count).map(begin).collect();
        let mut done = Vec::with_capacity(count);
        done.extend((count > 0).then(|| work(0)));
        for other in others {
            done.push(match other {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(n) => work(n),
            });
        }
        done
    })
}

/// Does both, the second by a thread of its own. Gives what each gave; a second one that panics does so here.
pub fn both<A, B: Send>(here: impl FnOnce() -> A, there: &(dyn Fn() -> B + Sync)) -> (A, B) {
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, there);
        let here = here();
        let there = match other {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => there(),
        };
        (here, there)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_and_in_order() {
        assert_eq!(parts(0, &|n| n), Vec::<usize>::new());
        assert_eq!(parts(1, &|n| n), [0]);
        assert_eq!(parts(5, &|n| n * n), [0, 1, 4, 9, 16]);
    }

    #[test]
    fn two_works_are_both_done() {
        let of_here = String::from("here");
        assert_eq!(both(move || of_here, &|| "there".len()), ("here".to_owned(), 5));
    }
}
