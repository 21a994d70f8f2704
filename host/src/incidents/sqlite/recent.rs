//! Users and sites as they were read a moment ago: most of many requests are of the same few.
//!
//! What this process writes of them counts at once. What another one writes counts as soon as the
//! thread that writes next begins a transaction, in which it sees that there was another; or, where
//! nothing is written, after a moment.

use super::super::error::StoreError;
use super::super::store::{SiteRecord, UserRecord};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long what was read counts while nobody looks whether others have written.
const MOMENT: Duration = Duration::from_millis(20);
/// How many users, and how many sites, are remembered.
const MOST: usize = 1024;

/// What was read lately.
#[derive(Default)]
pub(super) struct Recent {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Grows when others have written: what was read before no longer counts.
    generation: u64,
    /// When it was last seen that they have not.
    looked: Option<Instant>,
    users: HashMap<String, (Instant, UserRecord)>,
    sites: HashMap<String, (Instant, SiteRecord)>,
}

type Read<T> = HashMap<String, (Instant, T)>;

impl Recent {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was seen at this moment whether others have written since the last such look.
    pub(super) fn looked(&self, others_wrote: bool) {
        let mut state = self.lock();
        match others_wrote {
            true => state.forget(),
            false => state.looked = Some(Instant::now()),
        }
    }

    /// Users or sites were written just now.
    pub(super) fn forget(&self) {
        self.lock().forget();
    }

    /// A user, remembered or `read`.
    pub(super) fn user(
        &self,
        username: &str,
        read: impl FnOnce() -> Result<Option<UserRecord>, StoreError>,
    ) -> Result<Option<UserRecord>, StoreError> {
        self.find(username, |state| &mut state.users, read)
    }

    /// A site, remembered or `read`.
    pub(super) fn site(
        &self,
        name: &str,
        read: impl FnOnce() -> Result<Option<SiteRecord>, StoreError>,
    ) -> Result<Option<SiteRecord>, StoreError> {
        self.find(name, |state| &mut state.sites, read)
    }

    fn find<T: Clone>(
        &self,
        name: &str,
        kind: fn(&mut State) -> &mut Read<T>,
        read: impl FnOnce() -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let generation = {
            let mut state = self.lock();
            let looked = state.looked;
            if let Some((at, found)) = kind(&mut state).get(name)
                && looked.map_or(*at, |looked| looked.max(*at)).elapsed() < MOMENT
            {
                return Ok(Some(found.clone()));
            }
            state.generation
        };
        let at = Instant::now();
        let found = read()?;
        let mut state = self.lock();
        // Others may have written while it was read.
        if let Some(found) = &found
            && state.generation == generation
        {
            let read = kind(&mut state);
            if read.len() >= MOST {
                read.clear();
            }
            read.insert(name.to_owned(), (at, found.clone()));
        }
        Ok(found)
    }
}

impl State {
    fn forget(&mut self) {
        self.generation += 1;
        self.users.clear();
        self.sites.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(recent: &Recent, stored: &str) -> String {
        let (name, time_zone) = ("A".to_owned(), stored.to_owned());
        let found = recent.site("A", || Ok(Some(SiteRecord { name, time_zone })));
        found.unwrap().unwrap().time_zone
    }

    #[test]
    fn what_was_read_counts_until_others_have_written_or_a_moment_is_over() {
        let recent = Recent::default();
        assert_eq!(zone(&recent, "one"), "one");
        assert_eq!(zone(&recent, "two"), "one");
        recent.looked(true);
        assert_eq!(zone(&recent, "two"), "two");
        recent.forget();
        assert_eq!(zone(&recent, "three"), "three");
        std::thread::sleep(MOMENT);
        assert_eq!(zone(&recent, "four"), "four");
        std::thread::sleep(MOMENT);
        recent.looked(false);
        assert_eq!(zone(&recent, "five"), "four");
    }

    #[test]
    fn what_others_write_while_it_is_read_is_read_again() {
        let recent = Recent::default();
        let read = || {
            recent.looked(true);
            Ok(Some(SiteRecord { name: "A".to_owned(), time_zone: "old".to_owned() }))
        };
        recent.site("A", read).unwrap();
        assert_eq!(zone(&recent, "new"), "new");
    }
}
