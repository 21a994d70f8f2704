//! A library that is loaded: how it gets there, and how its commands are called.

use super::description::{describe_request, read_description};
use super::error::PluginError;
use super::file::PluginFile;
use super::host_object::{HostServices, NoServices, host_object};
use super::sealed::Sealed;
use abi_stable::std_types::RVec;
use playdock_boundary::{OpenError, PluginModuleRef, open};
use playdock_plugin_api::messages::CommandDescription;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A library whose code runs in this process, and what it says of its commands.
pub struct Library {
    open: OpenLibrary,
    commands: Vec<CommandDescription>,
}

impl Library {
    /// Opens the library of a file and asks it for its commands.
    pub(super) fn load(file: &PluginFile) -> Result<Library, PluginError> {
        let open = OpenLibrary::open(file.kept().sealed(), file.path())?;
        let response = open.invoke(&describe_request(), Arc::new(NoServices::new()));
        Ok(Library { open, commands: read_description(file.inspected(), &response)? })
    }

    /// The description of a command.
    pub fn command(&self, name: &str) -> Option<&CommandDescription> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// The descriptions of all commands.
    pub fn commands(&self) -> &[CommandDescription] {
        &self.commands
    }

    /// Hands a request to the library and returns its response, both as JSON. Its calls go to
    /// `services`.
    pub(crate) fn invoke(&self, request: &[u8], services: Arc<dyn HostServices>) -> RVec<u8> {
        self.open.invoke(request, services)
    }
}

/// A library that was opened in this process.
#[derive(Clone, Copy)]
pub(crate) struct OpenLibrary {
    module: PluginModuleRef,
}

impl OpenLibrary {
    /// Opens a library; from here on its code runs. `name` is the file that errors speak of.
    pub(crate) fn open(sealed: &Sealed, name: &Path) -> Result<OpenLibrary, PluginError> {
        let path = sealed.path_for_good().map_err(|error| not_loaded(name, error.to_string()))?;
        OpenLibrary::open_at(&path, name)
    }

    /// The same for a path that lasts as long as this process.
    pub(crate) fn open_at(path: &Path, name: &Path) -> Result<OpenLibrary, PluginError> {
        let module = open(path).map_err(|error| not_opened(name, &error))?;
        Ok(OpenLibrary { module })
    }

    /// Hands a request to the library and returns its response, both as JSON. Its calls go to
    /// `services`.
    pub(crate) fn invoke(&self, request: &[u8], services: Arc<dyn HostServices>) -> RVec<u8> {
        self.module.invoke()(request.into(), host_object(services))
    }
}

/// One line; the layout check has hundreds, which go to the log.
fn not_opened(path: &Path, error: &OpenError) -> PluginError {
    match error {
        OpenError::Layout(lines) => {
            log::debug!("{}: {lines}", path.display());
            not_loaded(
                path,
                "its boundary is laid out otherwise than this host's (the log shows where at level \
                 debug): build it with a matching playdock-plugin-api",
            )
        }
        other => not_loaded(path, other.to_string()),
    }
}

fn not_loaded(path: &Path, cause: impl Into<String>) -> PluginError {
    PluginError::NotLoaded { path: PathBuf::from(path), cause: cause.into() }
}
