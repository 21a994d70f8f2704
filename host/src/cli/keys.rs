//! `playdock keys`: the keys of remote clients.

use super::arguments::{Common, Keys, KeysAction, Output};
use super::exit::Failure;
use super::instant::{rfc3339, utc};
use super::{known, output, setup, table, terminal};
use crate::incidents::{ApiKey, Limits, NewApiKey, Proof, Store};
use crate::remote::{ClientSecret, ServerKey};
use playdock_plugin_api::Timestamp;
use serde::Serialize;
use std::process::ExitCode;

pub(super) fn keys(common: &Common, arguments: &Keys) -> Result<ExitCode, Failure> {
    let store = match &arguments.action {
        KeysAction::Create { .. } => setup::store_to_use(common)?,
        KeysAction::List | KeysAction::Revoke { .. } => setup::store_that_is_there(common)?,
    };
    match &arguments.action {
        KeysAction::Create { name, command, site, user, expires, jwt } => {
            check(&*store, name, site, user)?;
            warn_of_unknown(common, command);
            let server_key = match jwt {
                Some(file) => {
                    let is_new = !file.exists();
                    let server_key = ServerKey::read_or_make(file).map_err(Failure::usage)?;
                    if is_new {
                        let file = file.display();
                        terminal::say(&format!("made the server key {file}, for serve --jwt"));
                    }
                    Some(server_key)
                }
                None => None,
            };
            let secret = ClientSecret::new(server_key.is_some()).map_err(Failure::usage)?;
            let key = NewApiKey {
                public_id: secret.public_id().to_owned(),
                name: name.clone(),
                proof: match server_key {
                    None => Proof::Secret(secret.digest()),
                    Some(key) => Proof::Signature(key.seal(&secret).map_err(Failure::usage)?),
                },
                limits: Limits { commands: limit(command), sites: limit(site), users: limit(user) },
                expires_at: *expires,
            };
            if !store.add_key(&key)? {
                return Err(Failure::usage(format!(
                    "there is a key \"{name}\" already: revoke it first, or take another name"
                )));
            }
            output::write(|out| writeln!(out, "{}", secret.text())).map_err(|failure| {
                let message = match store.revoke_key(name) {
                    Ok(_) => format!("{}; the key \"{name}\" was revoked", failure.message),
                    Err(error) => format!(
                        "{}; revoke the key \"{name}\", which could not be: {error}",
                        failure.message
                    ),
                };
                Failure { message, ..failure }
            })?;
        }
        KeysAction::List => write_list(common, &store.keys()?)?,
        KeysAction::Revoke { name } => {
            if !store.revoke_key(name)? {
                return Err(Failure::usage(unknown_key(name, &store.keys()?)));
            }
            terminal::say(&format!("revoked the key {name}; servers refuse it within a second"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A key that is limited to what isn't there would be of no use.
fn check(store: &dyn Store, name: &str, sites: &[String], users: &[String]) -> Result<(), Failure> {
    if name.trim().is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(Failure::usage("the name of a key is 1 to 100 characters on one line"));
    }
    for site in sites {
        known::check_site(store, site)?;
    }
    for user in users {
        if store.user(user)?.is_none() {
            return Err(Failure::usage(format!("there is no user \"{user}\"")));
        }
    }
    Ok(())
}

/// Commands may be those of plugins that another machine has, so an unknown one is no mistake for sure.
fn warn_of_unknown(common: &Common, commands: &[String]) {
    let Ok((plugins, _)) = setup::plugins(common) else { return };
    for command in commands.iter().filter(|command| plugins.find(command).is_none()) {
        log::warn!(target: "playdock", "no plugin here has the command {command}");
    }
}

fn limit(names: &[String]) -> Option<Vec<String>> {
    (!names.is_empty()).then(|| names.to_vec())
}

fn unknown_key(name: &str, keys: &[ApiKey]) -> String {
    if keys.iter().any(|key| key.made.name == name) {
        return format!("the key \"{name}\" is revoked already");
    }
    let good = keys.iter().filter(|key| key.revoked_at.is_none());
    match known::nearest_first(name, good.map(|key| key.made.name.as_str())) {
        names if names.is_empty() => format!("there is no key \"{name}\", nor any other to revoke"),
        names => format!("there is no key \"{name}\" to revoke; there are {names}"),
    }
}

/// A key, for programs.
#[derive(Serialize)]
struct KeyLine<'a> {
    name: &'a str,
    id: &'a str,
    state: &'static str,
    jwt: bool,
    commands: Option<&'a Vec<String>>,
    sites: Option<&'a Vec<String>>,
    users: Option<&'a Vec<String>>,
    created_at: Option<String>,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    last_used_at: Option<String>,
}

impl<'a> From<&'a ApiKey> for KeyLine<'a> {
    fn from(key: &'a ApiKey) -> KeyLine<'a> {
        let limits = &key.made.limits;
        KeyLine {
            name: &key.made.name,
            id: &key.made.public_id,
            state: state(key),
            jwt: signs(key),
            commands: limits.commands.as_ref(),
            sites: limits.sites.as_ref(),
            users: limits.users.as_ref(),
            created_at: rfc3339(key.created_at),
            expires_at: key.made.expires_at.and_then(rfc3339),
            revoked_at: key.revoked_at.and_then(rfc3339),
            last_used_at: key.last_used_at.and_then(rfc3339),
        }
    }
}

fn state(key: &ApiKey) -> &'static str {
    match key.revoked_at {
        Some(_) => "revoked",
        None if key.is_good(Timestamp::now()) => "good",
        None => "expired",
    }
}

fn signs(key: &ApiKey) -> bool {
    matches!(key.made.proof, Proof::Signature(_))
}

fn write_list(common: &Common, keys: &[ApiKey]) -> Result<(), Failure> {
    if common.output == Output::Json {
        return output::write_json(&keys.iter().map(KeyLine::from).collect::<Vec<_>>());
    }
    if keys.is_empty() {
        return output::write(|out| writeln!(out, "No keys."));
    }
    let any =
        |names: &Option<Vec<String>>| names.as_ref().map_or("any".to_owned(), |it| it.join(", "));
    let rows = keys.iter().map(|key| {
        let limits = &key.made.limits;
        vec![
            key.made.name.clone(),
            state(key).to_owned(),
            if signs(key) { "d3jwt" } else { "d3key" }.to_owned(),
            any(&limits.commands),
            any(&limits.sites),
            any(&limits.users),
            key.made.expires_at.map(utc).unwrap_or_default(),
            key.last_used_at.map(utc).unwrap_or_default(),
        ]
    });
    let headings = [
        "Key",
        "State",
        "Header",
        "Commands",
        "Sites",
        "Users",
        "Expires (UTC)",
        "Last used (UTC)",
    ];
    output::write(|out| table::write(out, &headings, rows))
}
