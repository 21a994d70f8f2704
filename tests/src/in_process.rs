//! A host in the process of the test, as whoever embeds Playdock has it.

use crate::playdock::Playdock;
use playdock_host::execution::{Host, Invocation, Isolation, Parameters};
use playdock_host::plugins::Plugins;
use serde_json::Value;

impl Playdock {
    /// A host in this process, with the store and the plugins of this folder; the plugins run in
    /// this process too.
    pub fn host(&self) -> Host {
        self.host_where(&Isolation::InProcess)
    }

    /// A host in this process whose plugins run in workers.
    pub fn host_with_workers(&self) -> Host {
        self.host_where(&Isolation::Worker { program: crate::program() })
    }

    fn host_where(&self, isolation: &Isolation) -> Host {
        let store = self.open();
        let mut plugins = Plugins::new();
        for file in self.plugins() {
            let added = plugins.add(file);
            added.unwrap_or_else(|error| panic!("{error}"));
        }
        Host::new(store.clone(), store, plugins, |_| isolation.clone())
    }
}

/// An automatic execution of a command in the site Security Operations.
pub fn invocation(command: &str, parameters: &Value, execution_id: &str) -> Invocation {
    let parameters = Parameters::from_json(parameters.to_string().as_bytes());
    let parameters = parameters.expect("the parameters are an object");
    let mut invocation = Invocation::automatic(command, parameters, "Security Operations");
    invocation.execution_id = Some(execution_id.to_owned());
    invocation
}
