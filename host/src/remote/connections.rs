//! The connections that are open: so many at most, and where there are more, the one that has been
//! idle longest makes room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::sleep;

/// The connections that are open.
pub(super) struct Connections {
    most: usize,
    began: Instant,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    open: HashMap<u64, Arc<Connection>>,
}

/// A connection.
pub(super) struct Connection {
    began: Instant,
    /// How many requests are being answered, with those whose long answer isn't written.
    busy: AtomicUsize,
    /// Since when it is idle, in milliseconds since `began`, if it is.
    idle_since: AtomicU64,
    /// Whether another has its place.
    evicted: AtomicBool,
    close: Notify,
}

/// How often it is looked whether requests are being answered, once no more come.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Connection {
    /// Waits until it is to be closed, once no request is being answered.
    pub(super) async fn closing(&self) {
        self.close.notified().await;
    }

    /// Whether another has its place, and no request is being answered.
    pub(super) fn is_over(&self) -> bool {
        self.evicted.load(Ordering::Relaxed) && !self.is_busy()
    }

    /// A request is being answered until this is dropped.
    pub(super) fn busy(self: &Arc<Connection>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A request that is being answered.
pub(super) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.milliseconds(), Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An open connection's place.
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

impl Connections {
    pub(super) fn new(most: usize) -> Connections {
        let state = Mutex::default();
        Connections { most, began: Instant::now(), state, changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The map is whole after every step, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection that was just made; `None` where all others are busy.
    pub(super) fn admit(self: &Arc<Connections>) -> Option<Place> {
        let mut state = self.lock();
        if state.is_full(self.most) && !state.close_idlest() {
            return None;
        }
        let number = state.next;
        state.next += 1;
        let connection = Arc::new(Connection {
            began: self.began,
            busy: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            evicted: AtomicBool::new(false),
            close: Notify::new(),
        });
        connection.idle_since.store(connection.milliseconds(), Ordering::Relaxed);
        state.open.insert(number, connection.clone());
        Some(Place { connections: self.clone(), number, connection })
    }

    /// Asks the connection that has been idle longest to close.
    pub(super) fn close_idlest(&self) {
        self.lock().close_idlest();
    }

    /// Asks all to close once they are idle.
    pub(super) fn close_all(&self) {
        self.lock().open.values().for_each(|connection| connection.close.notify_one());
    }

    /// Waits until no request is being answered.
    pub(super) async fn idle(&self) {
        while self.lock().open.values().any(|connection| connection.is_busy()) {
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until none is open.
    pub(super) async fn none(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().open.is_empty() {
                return;
            }
            changed.await;
        }
    }
}

impl State {
    /// Those whose place no other has.
    fn staying(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.open.values().filter(|open| !open.evicted.load(Ordering::Relaxed))
    }

    fn is_full(&self, most: usize) -> bool {
        self.open.len() >= most && self.staying().count() >= most
    }

    /// The place of the one that has been idle longest is free from now on; false if all are busy.
    fn close_idlest(&self) -> bool {
        let idle_since = |connection: &Connection| connection.idle_since.load(Ordering::Relaxed);
        let idle = self.staying().filter(|open| !open.is_busy());
        let Some(idlest) = idle.min_by_key(|open| idle_since(open)) else { return false };
        idlest.evicted.store(true, Ordering::Relaxed);
        idlest.close.notify_one();
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.number);
        self.connections.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_is_idle_longest_makes_room() {
        let connections = Arc::new(Connections::new(2));
        let first = connections.admit().unwrap();
        let busy = first.connection.busy();
        let second = connections.admit().unwrap();
        let third = connections.admit().unwrap();
        second.connection.closing().await;
        drop(second);
        let third_is_busy = third.connection.busy();
        assert!(connections.admit().is_none());
        drop((busy, third_is_busy));
        assert!(connections.admit().is_some());
    }
}
