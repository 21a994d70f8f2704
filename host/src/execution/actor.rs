//! In whose name an execution acts: found out by the host, since no plugin may choose.

use super::invocation::{Invocation, Requester};
use crate::incidents::{IncidentStore, StoreError, UserRecord};
use playdock_plugin_api::messages::CommandDescription;
use playdock_plugin_api::{Actor, Site, parameters};

/// Who acts where; or why that can't be.
pub(super) type Resolved = Result<(Actor, Site), String>;

/// Resolves the actor and the site of an invocation.
///
/// An automatic execution acts as its `Username` parameter; where that is absent, a remote request
/// falls back to the account that it came from. A person acts as that person.
///
/// A parameter that the command's description doesn't have may be a misspelt `Username`.
pub(super) fn resolve(
    invocation: &Invocation,
    description: &CommandDescription,
    store: &dyn IncidentStore,
) -> Result<Resolved, StoreError> {
    let username = match acting_username(invocation, description) {
        Ok(username) => username,
        Err(sentence) => return Ok(Err(sentence)),
    };
    if let Some(key) = &invocation.api_key {
        let limits = &key.made.limits;
        if !limits.allow_site(&invocation.site) {
            let site = &invocation.site;
            return Ok(Err(format!("The API key has no access to the site \"{site}\".")));
        }
        if !limits.allow_user(&username) {
            return Ok(Err(format!("The API key may not act as the user \"{username}\".")));
        }
    }
    if let Some(account) = invocation.requester.requested_by()
        && account != username
        && let Err(sentence) = user_in_site(invocation, &account, store)?
    {
        return Ok(Err(sentence));
    }
    let user = match user_in_site(invocation, &username, store)? {
        Ok(user) => user,
        Err(sentence) => return Ok(Err(sentence)),
    };
    let Some(site) = store.site(&invocation.site)? else {
        return Ok(Err(no_access(&username, &invocation.site)));
    };
    let mut actor = Actor::new(user.username);
    actor.may_close = user.may_close;
    // Who may end the work on an incident may take it up again, and say whose it is.
    actor.may_reopen = user.may_close;
    actor.may_assign = user.may_close;
    Ok(Ok((actor, Site { name: site.name, time_zone: site.time_zone })))
}

/// A user who is active and may work in the invocation's site; or a sentence why there is none.
///
/// A remote client learns nothing of the users of sites that aren't its own: to it, one who isn't
/// there is one without access.
fn user_in_site(
    invocation: &Invocation,
    username: &str,
    store: &dyn IncidentStore,
) -> Result<Result<UserRecord, String>, StoreError> {
    let remote = invocation.api_key.is_some();
    let user = store.user(username)?;
    let has_site = user.as_ref().is_some_and(|user| user.sites.contains(&invocation.site));
    Ok(match user {
        Some(user) if has_site && user.active => Ok(user),
        None if !remote => Err(format!("There is no user \"{username}\".")),
        Some(user) if !user.active && (has_site || !remote) => {
            Err(format!("The user \"{username}\" is not active."))
        }
        _ => Err(no_access(username, &invocation.site)),
    })
}

/// The names of a command's parameters.
fn parameter_names(description: &CommandDescription) -> Vec<String> {
    let properties = description.parameters.get("properties");
    let properties = properties.and_then(serde_json::Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// The same words whether the site exists or not: they tell nobody which it is.
fn no_access(username: &str, site: &str) -> String {
    format!("The user \"{username}\" has no access to the site \"{site}\".")
}

fn acting_username(
    invocation: &Invocation,
    description: &CommandDescription,
) -> Result<String, String> {
    let requested_by = match &invocation.requester {
        Requester::Person { username } => return Ok(username.clone()),
        Requester::Automatic { requested_by } => requested_by,
    };
    let parameter = invocation.parameters.username()?;
    let given = match parameter.map(|raw| (raw, serde_json::from_str::<Option<String>>(raw.get())))
    {
        None => None,
        Some((_, Ok(username))) => username.filter(|username| !username.trim().is_empty()),
        Some((raw, Err(_))) => {
            return Err(format!("Parameter \"Username\": must be text, not {}.", kind(raw.get())));
        }
    };
    given.or_else(|| requested_by.clone()).ok_or_else(|| {
        let known = parameter_names(description);
        let names = invocation.parameters.names();
        match names.iter().find(|name| !known.contains(name)) {
            Some(name) => parameters::unknown(name, &known),
            None => "Parameter \"Username\" is required: an automatic execution acts as this user."
                .to_owned(),
        }
    })
}

fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'"') => "text that can't be read",
        _ => "a number",
    }
}
