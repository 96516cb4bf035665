//! Where work that keeps a core busy is done.

use tokio::task::spawn_blocking;

/// Input up to here is worked on in place: handing it to another thread would cost more.
pub const INLINE_BYTES_MAX: usize = 8 * 1024;

/// Runs `work` in place for an input of few bytes, else on a thread that may block.
///
/// A panic is passed on. Dropping the future does not end work that has begun on such a
/// thread: bound it otherwise.
pub async fn compute<T: Send + 'static>(
    input_bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if input_bytes <= INLINE_BYTES_MAX {
        return work();
    }
    match spawn_blocking(work).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down, and this future with it.
            Err(_) => std::future::pending().await,
        },
    }
}
