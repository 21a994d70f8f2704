//! A library that is loaded: how it gets there, and how its commands are called.

use super::error::PluginError;
use super::host_object::{HostServices, host_object};
use abi_stable::library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use abi_stable::std_types::RVec;
use playdock_plugin_api::boundary::PluginModuleRef;
use playdock_plugin_api::identity::Identity;
use playdock_plugin_api::messages::{self, CommandDescription, Reply, Request, Response};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The layout check of abi_stable recurses deeply; a caller's thread may have too small a stack.
const STACK_FOR_LOADING: usize = 4 << 20;

/// A library whose code runs in this process.
pub struct Library {
    module: PluginModuleRef,
    commands: Vec<CommandDescription>,
}

impl Library {
    /// Loads the library in `path`, which was found to have this identity.
    pub(super) fn load(path: &Path, identity: &Identity) -> Result<Library, PluginError> {
        let thread_path = path.to_owned();
        let loaded = std::thread::Builder::new()
            .stack_size(STACK_FOR_LOADING)
            .spawn(move || open(&thread_path));
        let module = match loaded.map(std::thread::JoinHandle::join) {
            Ok(Ok(module)) => module?,
            Ok(Err(_)) => return Err(not_loaded(path, "loading it panicked")),
            Err(error) => return Err(not_loaded(path, error.to_string())),
        };
        let mut library = Library {
            module,
            commands: Vec::new(),
        };
        library.commands = library.describe(path)?;
        let described: Vec<&str> = library.commands.iter().map(|it| it.name.as_str()).collect();
        if described != identity.commands {
            return Err(PluginError::Lies {
                path: path.to_owned(),
                named: identity.commands.join(", "),
                described: described.join(", "),
            });
        }
        Ok(library)
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
    pub fn invoke(&self, request: &[u8], services: Arc<dyn HostServices>) -> RVec<u8> {
        self.module.invoke()(request.into(), host_object(services))
    }

    fn describe(&self, path: &Path) -> Result<Vec<CommandDescription>, PluginError> {
        let not_described = |cause: String| PluginError::NotDescribed {
            path: path.to_owned(),
            cause,
        };
        let request = messages::write(&Request::Describe {
            must_understand: Vec::new(),
        });
        let response = self.invoke(&request, Arc::new(NoServices));
        match messages::read(&response) {
            Ok(Response::Described { commands }) => Ok(commands),
            Ok(Response::Failed { error }) => Err(not_described(error)),
            Ok(Response::Panicked { message }) => {
                Err(not_described(format!("it panicked: {message}")))
            }
            Ok(Response::Unsupported { what }) => {
                Err(not_described(format!("it doesn't know {what}")))
            }
            Ok(_) => Err(not_described("it answered something else".to_owned())),
            Err(error) => Err(not_described(format!("its answer is {error}"))),
        }
    }
}

/// Opens a library and takes its module. The library stays open for good: code of it may run as
/// long as the process does.
fn open(path: &Path) -> Result<PluginModuleRef, PluginError> {
    let library =
        open_library(path).map_err(|error| not_loaded(path, describe_loader_error(&error)))?;
    // SAFETY: the symbol of this name is a static of type `LibHeader`, whose reference is what
    // `AbiHeaderRef` wraps; abi_stable gives the name to nothing else, and the magic number in it
    // is checked next, before anything else of it is read.
    let header =
        unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    let header = *header.map_err(|error| not_loaded(path, describe_loader_error(&error)))?;
    std::mem::forget(library);
    if !header.is_valid() {
        return Err(not_loaded(
            path,
            "its header is of another version of abi_stable",
        ));
    }
    // Not `RootModule::load_from…`: that caches by type, and would answer every other file with
    // the first library, and after one failure every file with that error.
    let module = header
        .upgrade()
        .and_then(|header| header.init_root_module::<PluginModuleRef>());
    module.map_err(|error| not_loaded(path, describe_layout_error(path, &error)))
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: opening a library runs its constructors, which is what the user asks for by naming
    // it as a plugin; that it is one was read from its file before.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(not(unix))]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: as on Unix.
    unsafe { libloading::Library::new(path) }
}

/// The loader's own words, which libloading keeps as the source of its error.
fn describe_loader_error(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// One line; the layout check has hundreds, which go to the log.
fn describe_layout_error(path: &Path, error: &LibraryError) -> String {
    log::debug!("{}: {error}", path.display());
    match error {
        LibraryError::AbiInstability(_) => {
            "its boundary is laid out otherwise than this host's (the log shows where at level \
             debug): build it with a matching playdock-plugin-api"
                .to_owned()
        }
        other => other
            .to_string()
            .lines()
            .next()
            .unwrap_or("its module can't be made")
            .to_owned(),
    }
}

fn not_loaded(path: &Path, cause: impl Into<String>) -> PluginError {
    PluginError::NotLoaded {
        path: PathBuf::from(path),
        cause: cause.into(),
    }
}

/// For a request in which a command has nothing to ask for.
struct NoServices;

impl HostServices for NoServices {
    fn call(&self, _request: &[u8]) -> Vec<u8> {
        messages::write(&Reply::Failed {
            error: "There is no execution.".to_owned(),
        })
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        log::log!(target: target, level, "{message}");
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}
