//! `playdock plugins keys`: whose signatures of plugins count.

use super::super::arguments::{Common, Keys, KeysAction, Output};
use super::super::exit::Failure;
use super::super::{output, policy, table, terminal};
use crate::plugins::{Key, KeyError, KeyId, LockFile};
use serde::Serialize;
use std::path::Path;

pub(super) fn keys(common: &Common, arguments: &Keys) -> Result<(), Failure> {
    match &arguments.action {
        KeysAction::Add { key, name } => add(common, key, name.clone()),
        KeysAction::Revoke { id } => revoke(common, *id),
        KeysAction::List => list(common),
    }
}

fn add(common: &Common, file_or_key: &Path, name: Option<String>) -> Result<(), Failure> {
    let key = match file_or_key.to_str().and_then(Key::parse) {
        Some(key) => key,
        None => Key::read(file_or_key)?,
    };
    let key = name.into_iter().fold(key, Key::named);
    let id = key.id();
    if let Some(lock) = policy::others()?.iter().find(|lock| lock.revokes(id)) {
        return Err(KeyError::Revoked { id, lock: lock.path().to_owned() }.into());
    }
    let mut lock = policy::change(common)?;
    let path = lock.path().to_owned();
    let line = KeyLine::new(&key, false, &path);
    lock.add_key(key)?;
    lock.write()?;
    match common.output {
        Output::Json => output::write_json(&line)?,
        Output::Text => output::write(|out| {
            writeln!(out, "{}", line.id)?;
            writeln!(out, "  Key   {}", line.public_key.as_deref().unwrap_or_default())?;
            writeln!(out, "  Name  {}", terminal::safe(&line.name))
        })?,
    }
    terminal::say(&format!(
        "what it signs may run now under the policy signed; {} says so",
        path.display()
    ));
    Ok(())
}

fn revoke(common: &Common, id: KeyId) -> Result<(), Failure> {
    let mut lock = policy::change(common)?;
    let there = lock.revoke(id);
    lock.write()?;
    let others = policy::others()?;
    let elsewhere = others.iter().find(|lock| lock.keys().any(|key| key.id() == id));
    let what = match (there, elsewhere) {
        (true, _) => String::new(),
        (false, Some(other)) => format!(", which {} has", other.path().display()),
        (false, None) => ", which no lock file had".to_owned(),
    };
    terminal::say(&format!("{} revokes the key {id}{what}", lock.path().display()));
    Ok(())
}

fn list(common: &Common) -> Result<(), Failure> {
    let locks = policy::locks(common)?;
    let is_revoked = |key: &Key| locks.iter().any(|lock| lock.revokes(key.id()));
    let lines =
        |lock| LockFile::keys(lock).map(|key| KeyLine::new(key, is_revoked(key), lock.path()));
    let lines: Vec<KeyLine> = locks.iter().flat_map(lines).collect();
    if common.output == Output::Json {
        return output::write_json(&lines);
    }
    if lines.is_empty() {
        return output::write(|out| writeln!(out, "No keys."));
    }
    let rows = lines.iter().map(|line| {
        vec![line.id.clone(), line.name.clone(), line.state.to_owned(), line.lock.clone()]
    });
    output::write(|out| table::write(out, &["Key", "Name", "State", "Lock file"], rows))
}

/// A key in a lock file.
#[derive(Serialize)]
struct KeyLine {
    id: String,
    name: String,
    public_key: Option<String>,
    /// What holds of it by all lock files together.
    state: &'static str,
    lock: String,
}

impl KeyLine {
    fn new(key: &Key, revoked: bool, lock: &Path) -> KeyLine {
        KeyLine {
            id: key.id().to_string(),
            name: key.name().to_owned(),
            public_key: key.public_key().map(str::to_owned),
            state: if revoked { "revoked" } else { "trusted" },
            lock: lock.display().to_string(),
        }
    }
}
