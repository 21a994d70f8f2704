//! A library that is loaded: how it gets there, and how its commands are called.

use super::description::{describe_request, read_description};
use super::error::PluginError;
use super::file::PluginFile;
use super::host_object::{HostServices, NoServices, host_object};
use super::sealed::Sealed;
use abi_stable::library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use abi_stable::std_types::RVec;
use playdock_plugin_api::boundary::PluginModuleRef;
use playdock_plugin_api::messages::CommandDescription;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The layout check of abi_stable recurses deeply; a caller's thread may have too small a stack.
const STACK_FOR_LOADING: usize = 4 << 20;

/// A library whose code runs in this process, and what it says of its commands.
pub struct Library {
    open: OpenLibrary,
    commands: Vec<CommandDescription>,
}

impl Library {
    /// Opens the library of a file and asks it for its commands.
    pub(super) fn load(file: &PluginFile) -> Result<Library, PluginError> {
        let open = OpenLibrary::open(file.sealed(), file.path())?;
        let response = open.invoke(&describe_request(), Arc::new(NoServices::new()));
        Ok(Library { open, commands: read_description(file, &response)? })
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
        let thread_name = name.to_owned();
        let loaded = std::thread::Builder::new()
            .stack_size(STACK_FOR_LOADING)
            .spawn(move || open(&path, &thread_name));
        match loaded.map(std::thread::JoinHandle::join) {
            Ok(Ok(module)) => Ok(OpenLibrary { module: module? }),
            Ok(Err(_)) => Err(not_loaded(name, "loading it panicked")),
            Err(error) => Err(not_loaded(name, error.to_string())),
        }
    }

    /// Hands a request to the library and returns its response, both as JSON. Its calls go to
    /// `services`.
    pub(crate) fn invoke(&self, request: &[u8], services: Arc<dyn HostServices>) -> RVec<u8> {
        self.module.invoke()(request.into(), host_object(services))
    }
}

/// Opens a library and takes its module. The library stays open for good: code of it may run as
/// long as the process does.
fn open(path: &Path, name: &Path) -> Result<PluginModuleRef, PluginError> {
    let library =
        open_library(path).map_err(|error| not_loaded(name, describe_loader_error(&error)))?;
    // SAFETY: the symbol of this name is a static of type `LibHeader`, whose reference is what
    // `AbiHeaderRef` wraps; abi_stable gives the name to nothing else, and the magic number in it
    // is checked next, before anything else of it is read.
    let header =
        unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    let header = *header.map_err(|error| not_loaded(name, describe_loader_error(&error)))?;
    std::mem::forget(library);
    if !header.is_valid() {
        return Err(not_loaded(name, "its header is of another version of abi_stable"));
    }
    // Not `RootModule::load_from…`: that caches by type, and would answer every other file with
    // the first library, and after one failure every file with that error.
    let module = header.upgrade().and_then(|header| header.init_root_module::<PluginModuleRef>());
    module.map_err(|error| not_loaded(name, describe_layout_error(name, &error)))
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: opening a library runs its constructors, which is what the user asks for by naming
    // it as a plugin; that it is one was read from its file before.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(windows)]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::windows::{LOAD_LIBRARY_SEARCH_SYSTEM32, Library};
    // SAFETY: as on Unix. What it needs is searched for in the system's folder alone.
    unsafe { Library::load_with_flags(path, LOAD_LIBRARY_SEARCH_SYSTEM32) }.map(Into::into)
}

/// The loader's own words, which libloading keeps as the source of its error.
fn describe_loader_error(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// One line; the layout check has hundreds, which go to the log.
fn describe_layout_error(path: &Path, error: &LibraryError) -> String {
    log::debug!("{}: {error}", path.display());
    match error {
        LibraryError::AbiInstability(_) | LibraryError::IncompatibleVersionNumber { .. } => {
            "its boundary is laid out otherwise than this host's (the log shows where at level \
             debug): build it with a matching playdock-plugin-api"
                .to_owned()
        }
        other => {
            let said = other.to_string();
            let line = said.lines().map(str::trim).find(|line| !line.is_empty());
            line.unwrap_or("its module can't be made").to_owned()
        }
    }
}

fn not_loaded(path: &Path, cause: impl Into<String>) -> PluginError {
    PluginError::NotLoaded { path: PathBuf::from(path), cause: cause.into() }
}
