//! Finding, checking and loading the libraries that hold commands.
//!
//! A library is looked at first, without running any of its code: any file to see what it is
//! ([`InspectedFile::open`]), or one that nobody else could change and that is trusted, to load it
//! ([`PluginFile::open`]). Its commands are known from then on, and its bytes are kept where nobody
//! can change them. Its code runs once it is loaded, in this process ([`PluginFile::load`]) or in
//! another, and it is never unloaded. This module doesn't know what an execution is: a command's calls go to whatever implements
//! [`HostServices`].

mod description;
mod error;
mod file;
mod host_object;
mod inspection;
mod library;
mod limits;
mod opening;
mod sealed;
mod trust;

pub(crate) use description::{describe_request, read_description};
pub use error::PluginError;
pub(crate) use file::hexadecimal;
pub use file::{InspectedFile, PluginFile};
pub use host_object::HostServices;
pub(crate) use host_object::NoServices;
pub use inspection::LinkingError;
pub use library::Library;
pub(crate) use library::OpenLibrary;
pub(crate) use limits::{LARGEST_CALL, LARGEST_RESPONSE, LogBudget};
pub use opening::OpeningError;
pub(crate) use sealed::Sealed;
pub use sealed::SealingError;
pub(crate) use trust::signature_of;
pub use trust::{
    Entry, Key, KeyError, KeyId, LockChange, LockError, LockFile, NamedLock, SignatureError, Trust,
    Trusted,
};

use std::path::Path;
use std::sync::Arc;

/// The plugins of a host.
#[derive(Default)]
pub struct Plugins {
    files: Vec<Arc<PluginFile>>,
}

impl Plugins {
    /// No plugins yet.
    pub fn new() -> Plugins {
        Plugins::default()
    }

    /// Looks at a library and adds it. Whoever calls this has decided that it may run: it is held
    /// against no lock file.
    ///
    /// # Errors
    ///
    /// As [`add_trusted`](Plugins::add_trusted).
    pub fn add(&mut self, path: &Path) -> Result<(), PluginError> {
        self.add_trusted(path, &Trust::any())
    }

    /// Looks at a library and adds it, if it is trusted.
    ///
    /// # Errors
    ///
    /// [`PluginError`]: it can't be used, others could change it, it is not trusted, or another
    /// plugin has a command of the same name.
    pub fn add_trusted(&mut self, path: &Path, trust: &Trust) -> Result<(), PluginError> {
        let file = PluginFile::open(path, trust)?;
        let commands = &file.identity().commands;
        for (index, command) in commands.iter().enumerate() {
            let twice_in_it = commands[..index].contains(command).then_some(path);
            let other = self.find(command).map(|other| other.path());
            if let Some(first) = twice_in_it.or(other) {
                return Err(PluginError::CommandTwice {
                    command: command.clone(),
                    first: first.to_owned(),
                    second: path.to_owned(),
                });
            }
        }
        self.files.push(Arc::new(file));
        Ok(())
    }

    /// The plugin that has a command.
    pub fn find(&self, command: &str) -> Option<&Arc<PluginFile>> {
        self.files.iter().find(|file| file.identity().has_command(command))
    }

    /// All plugins, in the order in which they were added.
    pub fn files(&self) -> &[Arc<PluginFile>] {
        &self.files
    }
}
