//! A command called in its library, the file that cargo built, as a host opens and calls it.

use super::conformance::Subject;
use super::in_memory::InMemoryIncidents;
use super::static_plugin::{InvokeError, invoke};
use super::test_host::TestHost;
use crate::boundary::{Host, Host_TO, OpenError, PluginModuleRef, open};
use crate::messages::{self, Finished, Reply};
use crate::serve::guard;
use abi_stable::std_types::{RSlice, RStr, RVec};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A command in the library that cargo built for an integration test, which lies in the crate's
/// folder `tests`.
///
/// ```no_run
/// use playdock_plugin_api::ExampleIncident;
/// use playdock_plugin_api::testing::{InMemoryIncidents, LibraryPlugin};
///
/// let library = LibraryPlugin::open("my-crate", "MyCommand").unwrap();
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")]);
/// let parameters = serde_json::json!({ "Incident Numbers": ["INC-1"] });
/// let finished = library.invoke(&parameters, &mut incidents).unwrap();
/// assert_eq!(finished.error, "");
/// ```
pub struct LibraryPlugin {
    command: String,
    module: PluginModuleRef,
}

/// Why there is no library to test.
///
/// ```
/// use playdock_plugin_api::testing::{LibraryError, LibraryPlugin};
/// let Err(error) = LibraryPlugin::open("no-such-crate", "MyCommand") else { panic!() };
/// assert!(matches!(error, LibraryError::NotBuilt { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says what its members are")]
pub enum LibraryError {
    /// Cargo built none.
    #[error(
        "there is no {file} in {folder}: the crate's types have to be \"cdylib\" and \"rlib\", and its test in the folder tests"
    )]
    NotBuilt { file: String, folder: PathBuf },
    /// It can't be opened.
    #[error("{path} can't be opened: {cause}")]
    NotOpened { path: PathBuf, cause: OpenError },
}

impl LibraryPlugin {
    /// Opens the library of a crate, from here on its code runs; `command` is one of its commands.
    ///
    /// # Errors
    ///
    /// [`LibraryError`]
    pub fn open(crate_name: &str, command: &str) -> Result<LibraryPlugin, LibraryError> {
        let path = built(crate_name)?;
        let module = open(&path).map_err(|cause| LibraryError::NotOpened { path, cause })?;
        Ok(LibraryPlugin { command: command.to_owned(), module })
    }

    /// Runs the command on the incidents.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]
    pub fn invoke(
        &self,
        parameters: &serde_json::Value,
        incidents: &mut InMemoryIncidents,
    ) -> Result<Finished, InvokeError> {
        invoke(self, &self.command, parameters, incidents)
    }
}

impl Subject for LibraryPlugin {
    fn ask(&self, request: &[u8], host: Arc<TestHost>) -> Result<Vec<u8>, String> {
        let host = Host_TO::from_value(Across(host), abi_stable::sabi_trait::TD_Opaque);
        Ok(self.module.invoke()(request.into(), host).into_vec())
    }
}

/// The library that cargo built for this test: it puts it beside the test's program.
fn built(crate_name: &str) -> Result<PathBuf, LibraryError> {
    let file = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", crate_name.replace('-', "_"));
    let test = std::env::current_exe().unwrap_or_default();
    let folder = test.parent().unwrap_or(Path::new(".")).to_owned();
    let path = folder.join(&file);
    if path.is_file() { Ok(path) } else { Err(LibraryError::NotBuilt { file, folder }) }
}

/// The test's host as the library sees it. A panic, of a test's own closure say, must not cross.
struct Across(Arc<TestHost>);

impl Host for Across {
    fn call(&self, request: RSlice<'_, u8>) -> RVec<u8> {
        let answered = guard(AssertUnwindSafe(|| self.0.call(request.as_slice())));
        answered.unwrap_or_else(|error| messages::write(&Reply::Failed { error })).into()
    }

    fn log(&self, level: u32, target: RStr<'_>, message: RStr<'_>) {
        let known = log::Level::iter().find(|known| *known as u32 == level);
        let level = known.unwrap_or(log::Level::Trace);
        // The test's logger may panic; then the record is lost.
        let _ = guard(AssertUnwindSafe(|| self.0.log(level, target.as_str(), message.as_str())));
    }

    fn is_cancelled(&self) -> bool {
        guard(AssertUnwindSafe(|| self.0.is_cancelled())).unwrap_or(true)
    }
}
