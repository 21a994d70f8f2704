//! The keys of remote clients: what each may do, and how it is recognised. Secrets aren't here: a
//! store has the digest of one, or what only the server can open.

use super::error::StoreError;
use playdock_plugin_api::Timestamp;

/// The store's own key of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKeyId(pub i64);

/// How a client proves that it has a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It sends the secret, whose SHA-256 is this.
    Secret([u8; 32]),
    /// It signs a token with the secret, which is here sealed under the server's own key.
    Signature(Vec<u8>),
}

/// What a key may do. `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The commands that it may run, compared without regard to case.
    pub commands: Option<Vec<String>>,
    /// The sites that it may work in.
    pub sites: Option<Vec<String>>,
    /// The users as whom it may act.
    pub users: Option<Vec<String>>,
}

impl Limits {
    /// Whether it may run a command.
    pub fn allow_command(&self, command: &str) -> bool {
        let same = |allowed: &String| allowed.eq_ignore_ascii_case(command);
        self.commands.as_ref().is_none_or(|commands| commands.iter().any(same))
    }

    /// Whether it may work in a site.
    pub fn allow_site(&self, site: &str) -> bool {
        self.sites.as_ref().is_none_or(|sites| sites.iter().any(|allowed| allowed == site))
    }

    /// Whether it may act as a user.
    pub fn allow_user(&self, username: &str) -> bool {
        self.users.as_ref().is_none_or(|users| users.iter().any(|allowed| allowed == username))
    }
}

/// A key that is about to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The part of it that is no secret, by which it is found.
    pub public_id: String,
    /// Its name, by which people know it.
    pub name: String,
    /// How a client proves that it has it.
    pub proof: Proof,
    /// What it may do.
    pub limits: Limits,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
}

/// A key as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The store's key of it.
    pub id: ApiKeyId,
    /// What was known when it was made.
    pub made: NewApiKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is worth nothing, if it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it is good at a moment.
    pub fn is_good(&self, at: Timestamp) -> bool {
        let expired = |end: Timestamp| end.milliseconds() <= at.milliseconds();
        self.revoked_at.is_none() && !self.made.expires_at.is_some_and(expired)
    }
}

/// The keys of remote clients.
///
/// Methods may be called from several threads at once.
pub trait ApiKeys: Send + Sync {
    /// Stores a new key; false if another one that is not revoked has its name.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn add_key(&self, key: &NewApiKey) -> Result<bool, StoreError>;

    /// All keys, revoked ones too, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes the key of a name; false if there is none, or none that is not revoked already.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn revoke_key(&self, name: &str) -> Result<bool, StoreError>;

    /// Notes when keys were last used, all in one commit.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn note_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_names_all_that_is_allowed_and_none_is_no_limit() {
        let named = |name: &str| Some(vec![name.to_owned()]);
        let limits = Limits { commands: named("Close"), sites: named("A"), users: named("jane") };
        assert!(limits.allow_command("close") && !limits.allow_command("Open"));
        assert!(limits.allow_site("A") && !limits.allow_site("a") && !limits.allow_site("B"));
        assert!(limits.allow_user("jane") && !limits.allow_user("Jane"));
        let none = Limits::default();
        assert!(none.allow_command("x") && none.allow_site("x") && none.allow_user("x"));
        let nothing = Limits { sites: Some(Vec::new()), ..Limits::default() };
        assert!(!nothing.allow_site("A"));
    }
}
