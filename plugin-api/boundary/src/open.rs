//! Opening a library and taking its module, for whoever is to call it: a host, or an author's test.
//!
//! Whether the file may be opened at all is decided before, and not here.

use crate::PluginModuleRef;
use abi_stable::library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use std::path::Path;

/// The layout check of abi_stable recurses deeply; a caller's thread may have too small a stack.
const STACK_FOR_OPENING: usize = 4 << 20;

/// Why a library could not be opened: a clause that a file's name goes before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The system's loader refused it, or it has no header; in the loader's words.
    #[error("{0}")]
    Loader(String),
    /// Its header is of another version of abi_stable.
    #[error("its header is of another version of abi_stable")]
    Header,
    /// What it exports is laid out otherwise than this crate says; the many lines of the check.
    #[error(
        "its boundary is laid out otherwise than here: build it with a matching playdock-plugin-api"
    )]
    Layout(String),
    /// Its module could not be made.
    #[error("{0}")]
    Module(String),
    /// There was no thread to open it on, or opening it panicked.
    #[error("{0}")]
    Thread(String),
}

/// Opens a library and takes its module; from here on its code runs. The library stays open for
/// good: code of it may run as long as the process does.
///
/// # Errors
///
/// [`OpenError`]
pub fn open(path: &Path) -> Result<PluginModuleRef, OpenError> {
    let path = path.to_owned();
    let opened = std::thread::Builder::new()
        .stack_size(STACK_FOR_OPENING)
        .spawn(move || open_here(&path))
        .map_err(|error| OpenError::Thread(error.to_string()))?;
    opened.join().unwrap_or_else(|_| Err(OpenError::Thread("opening it panicked".to_owned())))
}

fn open_here(path: &Path) -> Result<PluginModuleRef, OpenError> {
    let library = open_library(path).map_err(|error| OpenError::Loader(loaders_words(&error)))?;
    // SAFETY: the symbol of this name is a static of type `LibHeader`, whose reference is what
    // `AbiHeaderRef` wraps; abi_stable gives the name to nothing else, and the magic number in it
    // is checked next, before anything else of it is read.
    let header =
        unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    let header = *header.map_err(|error| OpenError::Loader(loaders_words(&error)))?;
    std::mem::forget(library);
    if !header.is_valid() {
        return Err(OpenError::Header);
    }
    // Not `RootModule::load_from…`: that caches by type, and would answer every other file with
    // the first library, and after one failure every file with that error.
    let module = header.upgrade().and_then(|header| header.init_root_module::<PluginModuleRef>());
    module.map_err(|error| match error {
        LibraryError::AbiInstability(_) | LibraryError::IncompatibleVersionNumber { .. } => {
            OpenError::Layout(error.to_string())
        }
        other => {
            let said = other.to_string();
            let line = said.lines().map(str::trim).find(|line| !line.is_empty());
            OpenError::Module(line.unwrap_or("its module can't be made").to_owned())
        }
    })
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: opening a library runs its constructors, which is what whoever names it as a plugin
    // asks for.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(windows)]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::windows::{LOAD_LIBRARY_SEARCH_SYSTEM32, Library};
    // SAFETY: as on Unix. What it needs is searched for in the system's folder alone.
    unsafe { Library::load_with_flags(path, LOAD_LIBRARY_SEARCH_SYSTEM32) }.map(Into::into)
}

/// The loader's own words: what libloading says, or keeps as the source of its error.
fn loaders_words(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
