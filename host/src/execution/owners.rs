//! Whom incidents may be assigned to: an active user who works in the execution's site.
//!
//! No other answer is given for a user of other sites than for one whom nobody knows.

use super::session::{Session, State};
use crate::incidents::StoreError;

impl Session {
    /// Whether a user may own incidents of the site.
    pub(super) fn may_own(&self, state: &mut State, username: &str) -> Result<bool, StoreError> {
        if let Some(known) = state.owners.get(username) {
            return Ok(*known);
        }
        let site = &self.setup.execution.site.name;
        let user = self.setup.store.user(username)?;
        let may_own = user.is_some_and(|user| user.active && user.sites.contains(site));
        state.owners.insert(username.to_owned(), may_own);
        Ok(may_own)
    }
}
