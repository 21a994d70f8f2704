//! Opening what a subcommand needs: the store, the plugins, a host of both.

use super::arguments::{Common, IsolationArgument};
use super::configuration::{self, PluginEntry};
use super::exit::Failure;
use super::policy;
use crate::execution::{Host, Isolation};
use crate::incidents::{Store, StoreError, StoreLocation};
use crate::plugins::{PluginFile, Plugins};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The library that is built beside this program.
const COMPANION: &str = "close_incident_in_bulk";
/// How much of a digest is enough to tell two builds of a plugin apart.
const SHORT_DIGEST: usize = 12;

/// Where the store is.
pub(super) fn store_location(common: &Common) -> Result<StoreLocation, Failure> {
    StoreLocation::parse(&common.db).map_err(Failure::usage)
}

/// Opens the store, or makes it.
pub(super) fn store(common: &Common) -> Result<Arc<dyn Store>, Failure> {
    let location = store_location(common)?;
    let store = location.open()?;
    log::info!(target: "playdock", "the store is {location}");
    Ok(store)
}

/// Opens the store, or makes it and says so: an empty one is of little use here, so it may be named
/// wrongly.
pub(super) fn store_to_use(common: &Common) -> Result<Arc<dyn Store>, Failure> {
    let location = store_location(common)?;
    let is_made = matches!(&location, StoreLocation::File(path) if !path.exists());
    let store = store(common)?;
    if is_made {
        log::warn!(target: "playdock", "{location} was not there, and is an empty store now");
    }
    Ok(store)
}

/// Opens a store to look at what it holds: one that isn't there is named wrongly, and isn't made.
pub(super) fn store_that_is_there(common: &Common) -> Result<Arc<dyn Store>, Failure> {
    match store_location(common)? {
        StoreLocation::File(path) if !path.exists() => {
            Err(StoreError::Missing(path.display().to_string()).into())
        }
        _ => store(common),
    }
}

/// Finds the plugins and looks at them; none of their code runs yet. Beside them, where each runs,
/// by its path.
pub(super) fn plugins(common: &Common) -> Result<(Plugins, HashMap<PathBuf, Isolation>), Failure> {
    let unsaid = |file| PluginEntry { file, isolation: None };
    let entries = if !common.plugin.is_empty() {
        common.plugin.iter().cloned().map(unsaid).collect()
    } else if let Some(entries) = configuration::plugins()? {
        entries
    } else {
        vec![unsaid(this_program()?.with_file_name(companion_name()))]
    };
    let trust = policy::trust(common)?;
    let mut plugins = Plugins::new();
    for entry in &entries {
        plugins.add_trusted(&entry.file, &trust)?;
    }
    for file in plugins.files() {
        let (identity, path) = (file.identity(), file.path().display());
        let digest: String = file.digest().chars().take(SHORT_DIGEST).collect();
        log::info!(
            target: "playdock",
            "the plugin {} {} is {path} (sha256 {digest}…)", identity.name, identity.version
        );
    }
    let mut isolations = HashMap::new();
    for (file, entry) in plugins.files().iter().zip(entries) {
        isolations.insert(file.path().to_owned(), isolation(common, entry.isolation)?);
    }
    Ok((plugins, isolations))
}

/// A host over the store and the plugins.
pub(super) fn host(common: &Common) -> Result<(Host, Arc<dyn Store>), Failure> {
    // The plugins first: a mistake in them should not leave an empty store behind.
    let (plugins, isolations) = plugins(common)?;
    let store = store_to_use(common)?;
    let unsaid = isolation(common, None)?;
    let isolation_of = |file: &PluginFile| isolations.get(file.path()).unwrap_or(&unsaid).clone();
    let host = Host::new(store.clone(), store.clone(), plugins, isolation_of);
    Ok((host, store))
}

/// Where a plugin runs: where the arguments say, or else the configuration, or else in workers.
fn isolation(common: &Common, configured: Option<IsolationArgument>) -> Result<Isolation, Failure> {
    Ok(match common.isolation.or(configured).unwrap_or(IsolationArgument::Worker) {
        IsolationArgument::Worker => Isolation::Worker { program: this_program()? },
        IsolationArgument::InProcess => Isolation::InProcess,
    })
}

pub(super) fn this_program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::usage(format!("this program can't find itself: {error}")))
}

/// The name of the library that is built beside this program.
pub(super) fn companion_name() -> String {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    format!("{DLL_PREFIX}{COMPANION}{DLL_SUFFIX}")
}
