//! The library that a case asks, in this process or in a worker.

use crate::execution::LoneWorker;
use crate::plugins::{HostServices, OpenLibrary, Sealed};
use playdock_plugin_api::testing::TestHost;
use playdock_plugin_api::testing::conformance::Subject;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Is told what a library is asked next.
pub(super) type Notes = Arc<dyn Fn(&str) + Send + Sync>;

/// A library that is open in this process.
pub(super) struct InProcess {
    pub(super) library: OpenLibrary,
    pub(super) notes: Notes,
}

impl Subject for InProcess {
    fn ask(&self, request: &[u8], host: Arc<TestHost>) -> Result<Vec<u8>, String> {
        Ok(self.library.invoke(request, Arc::new(Answering(host))).into_vec())
    }

    fn note(&self, input: &str) {
        (self.notes)(input);
    }
}

/// A library in a worker, which is started when it is needed, and anew when it is gone.
pub(super) struct InWorker {
    pub(super) program: PathBuf,
    pub(super) sealed: Sealed,
    pub(super) file: PathBuf,
    pub(super) worker: Mutex<Option<LoneWorker>>,
    pub(super) notes: Notes,
}

impl InWorker {
    /// Starts the worker where there is none, and does something with it.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&mut LoneWorker) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut place = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let mut worker = match place.take() {
            Some(worker) => worker,
            None => LoneWorker::start(&self.program, &self.sealed, &self.file)?,
        };
        let done = work(&mut worker)?;
        *place = Some(worker);
        Ok(done)
    }
}

impl Subject for InWorker {
    fn ask(&self, request: &[u8], host: Arc<TestHost>) -> Result<Vec<u8>, String> {
        let deadline = host.deadline();
        self.with(|worker| worker.ask(request, &Answering(host), deadline))
    }

    fn note(&self, input: &str) {
        (self.notes)(input);
    }
}

/// A test's host, as a library's calls reach it.
pub(super) struct Answering(pub(super) Arc<TestHost>);

impl HostServices for Answering {
    fn call(&self, request: &[u8]) -> Vec<u8> {
        self.0.call(request)
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        self.0.log(level, target, message);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
