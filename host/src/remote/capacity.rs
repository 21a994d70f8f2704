//! How much the server does and keeps in memory at once: for all together, and half of it for each
//! key, so that others get their turn.

use std::sync::Arc;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// How many places there are for executions that run; the rest waits.
const EXECUTIONS: usize = 64;
/// How many more there are for short ones, of which a key has one at most.
const FIRST: usize = 8;
/// An execution has one place for so many bytes of its request's body, and for what is left: what it
/// knows of the incidents that it was given is in memory until it ends.
const BYTES_FOR_A_PLACE: usize = 32 << 10;
/// How many places the longest has: while it waits for the last of them, nobody else has the others.
const MOST_PLACES: usize = 8;
/// How many executions are read from the journal at once, for those who ask for them.
const LOADING: usize = 4;
/// How many of the largest bodies fit into the memory for large bodies.
const BODIES: usize = 4;
/// How much memory long answers may take while they are sent, in KiB.
const ANSWERS: usize = 256 << 10;

/// What the capacity follows from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// How many connections may be open.
    pub(super) connections: usize,
    /// How many bytes a request's body may have.
    pub(super) largest_body: usize,
}

/// How much more can be done and kept at this moment.
pub(super) struct Capacity {
    /// Requests that are open; for all, the connections bound them.
    pub(super) requests: Arc<Semaphore>,
    /// Places of executions that run.
    executions: Arc<Semaphore>,
    /// Those of which a key has one at most.
    first: Arc<Semaphore>,
    /// Executions that are read from the journal.
    pub(super) loading: Arc<Semaphore>,
    /// KiB of large bodies.
    pub(super) bodies: Arc<Semaphore>,
    /// KiB of long answers.
    pub(super) answers: Arc<Semaphore>,
}

/// What somebody has of it until this is dropped.
pub(super) struct Held {
    _of_key: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Capacity {
    /// That of the server.
    pub(super) fn of_all(size: Size) -> Capacity {
        Capacity::of(size, 1)
    }

    /// What one key may have of it.
    pub(super) fn of_one(size: Size) -> Capacity {
        Capacity::of(size, 2)
    }

    fn of(size: Size, share: usize) -> Capacity {
        let part = |whole: usize| Arc::new(Semaphore::new((whole / share).max(1)));
        Capacity {
            requests: part(size.connections),
            executions: part(EXECUTIONS),
            first: Arc::new(Semaphore::new(if share == 1 { FIRST } else { 1 })),
            loading: part(LOADING),
            bodies: part(BODIES * kibibytes(size.largest_body) as usize),
            answers: part(ANSWERS),
        }
    }

    /// From now on it has no places for executions; who waits for one is told.
    pub(super) fn stop(&self) {
        self.executions.close();
        self.first.close();
    }
}

/// How many executions can run at once.
pub(super) const fn most_executions() -> usize {
    EXECUTIONS + FIRST
}

/// How many places an execution takes whose request's body had so many bytes.
pub(super) fn for_execution(bytes: usize) -> u32 {
    let places = 1 + bytes / BYTES_FOR_A_PLACE;
    u32::try_from(places.min(MOST_PLACES)).unwrap_or(u32::MAX)
}

/// Waits for an execution's places.
///
/// # Errors
///
/// There are none any more: the server is being stopped.
pub(super) async fn places(
    of_key: &Capacity,
    of_all: &Capacity,
    count: u32,
) -> Result<Held, AcquireError> {
    let shared = hold(&of_key.executions, &of_all.executions, count);
    if count > 1 {
        return shared.await;
    }
    // Other keys may have the shared ones for long.
    let first = hold(&of_key.first, &of_all.first, 1);
    tokio::select! { biased; place = shared => place, place = first => place }
}

/// Waits for so much of a key's share, and of what there is for all.
///
/// # Errors
///
/// It isn't given out any more: the server is being stopped.
pub(super) async fn hold(
    of_key: &Arc<Semaphore>,
    of_all: &Arc<Semaphore>,
    count: u32,
) -> Result<Held, AcquireError> {
    let of_key = of_key.clone().acquire_many_owned(count).await?;
    let of_all = of_all.clone().acquire_many_owned(count).await?;
    Ok(Held { _of_key: of_key, _of_all: of_all })
}

/// Takes so much of a key's share, and of what there is for all, if there is so much now.
pub(super) fn try_hold(
    of_key: &Arc<Semaphore>,
    of_all: &Arc<Semaphore>,
    count: u32,
) -> Option<Held> {
    let of_key = of_key.clone().try_acquire_many_owned(count).ok()?;
    let of_all = of_all.clone().try_acquire_many_owned(count).ok()?;
    Some(Held { _of_key: of_key, _of_all: of_all })
}

/// How much of the memory for answers one of so many bytes takes: as much as one key may have of it,
/// if it is longer than that.
pub(super) fn for_answer(bytes: usize) -> u32 {
    kibibytes(bytes.min((ANSWERS / 2) << 10))
}

/// So many bytes in KiB.
pub(super) fn kibibytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX)
}
