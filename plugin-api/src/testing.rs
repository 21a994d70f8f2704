//! Testing a command without a host and without a library file.
//!
//! [`InMemoryIncidents`] is an incident context that a test fills and looks into.
//! [`StaticPlugin`] calls a command through the same bytes that a library gets from a host, on
//! such a context; [`check_examples`] does it for the command's own examples. With the feature
//! `library`, `LibraryPlugin` does it with the library that cargo built. [`conformance`] is all that
//! is asked of every command, as cases that run without a file.
//!
//! ```no_run
//! # use playdock_plugin_api::{UtilityCommand, ExampleIncident};
//! # fn test<MyCommand: UtilityCommand>() {
//! use playdock_plugin_api::testing::{InMemoryIncidents, StaticPlugin, conformance};
//!
//! conformance::check::<MyCommand>().unwrap();
//!
//! let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")]);
//! let parameters = serde_json::json!({ "Incident Numbers": ["INC-1"] });
//! let finished = StaticPlugin::of::<MyCommand>().invoke(&parameters, &mut incidents).unwrap();
//! assert_eq!(finished.error, "");
//! assert_eq!(incidents.incident("INC-1").unwrap().status, "Closed");
//! # }
//! ```

pub mod conformance;
mod in_memory;
#[cfg(feature = "library")]
mod library;
mod static_plugin;
mod test_host;

pub use conformance::check_examples;
pub use in_memory::{InMemoryIncident, InMemoryIncidents};
#[cfg(feature = "library")]
pub use library::{LibraryError, LibraryPlugin};
pub use static_plugin::{InvokeError, StaticPlugin};
pub use test_host::TestHost;
