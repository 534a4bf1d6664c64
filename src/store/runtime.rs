//! Waiting from code that does not wait: one small runtime on this thread, made when it is first needed. Most commands never
//! need it.

use std::cell::OnceCell;
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};

use super::StoreError;

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

/// Runs asynchronous work to its end. Must not be called from such work.
pub(super) fn wait<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<T, StoreError>
where
    StoreError: From<E>,
{
    Ok(block_on(work)??)
}

/// The same; what is given to do meanwhile is done, once, after the work has been begun. It may wait itself.
pub(super) fn wait_while<T, E>(
    work: impl Future<Output = Result<T, E>>,
    meanwhile: impl FnOnce(),
) -> Result<T, StoreError>
where
    StoreError: From<E>,
{
    let mut work = std::pin::pin!(work);
    let begun = block_on(std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context))))?;
    meanwhile();
    Ok(match begun {
        Poll::Ready(done) => done,
        Poll::Pending => block_on(work)?,
    }?)
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T, StoreError> {
    RUNTIME.with(|cell| {
        if cell.get().is_none() {
            let made = Builder::new_current_thread().enable_all().build();
            let made = made.map_err(|error| StoreError::Refused(format!("cannot start: {error}")))?;
            // Only this thread fills its own cell.
            drop(cell.set(made));
        }
        match cell.get() {
            Some(runtime) => Ok(runtime.block_on(work)),
            None => Err(StoreError::Refused("cannot start".to_owned())),
        }
    })
}
