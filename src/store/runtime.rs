//! Waiting from code that does not wait: one small runtime on this thread, made when it is first needed. Most commands never
//! need it.

use std::cell::OnceCell;

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
    wait_while(work, || ())
}

/// The same; what has been given to do meanwhile is done, once, when there is something to wait for. It must not wait itself.
pub(super) fn wait_while<T, E>(
    work: impl Future<Output = Result<T, E>>,
    meanwhile: impl FnOnce(),
) -> Result<T, StoreError>
where
    StoreError: From<E>,
{
    // The first is begun first.
    let both = async { tokio::join!(work, async { meanwhile() }).0 };
    RUNTIME.with(|cell| {
        if cell.get().is_none() {
            let made = Builder::new_current_thread().enable_all().build();
            let made = made.map_err(|error| StoreError::Refused(format!("cannot start: {error}")))?;
            // Only this thread fills its own cell.
            drop(cell.set(made));
        }
        match cell.get() {
            Some(runtime) => Ok(runtime.block_on(both)?),
            None => Err(StoreError::Refused("cannot start".to_owned())),
        }
    })
}
