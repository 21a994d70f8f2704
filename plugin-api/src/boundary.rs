//! What crosses between the host and a library: one function and one object, and nothing else.
//!
//! All types that must be laid out alike on both sides live in this file. What changes over the
//! years travels inside the byte strings, as [messages](crate::messages). Authors of commands
//! never meet these types; they are public for the host, which calls them.

// The macros of abi_stable predate these lints.
#![allow(missing_docs, non_camel_case_types, non_local_definitions, clippy::all)]

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RSlice, RStr, RVec};

/// The version of the boundary in this file. A host loads a library of the same version alone.
pub const BOUNDARY_VERSION: u32 = 1;

/// What the host offers to a command while it runs.
#[abi_stable::sabi_trait]
pub trait Host: Send + Sync {
    /// Hands over one [`Call`](crate::messages::Call) and returns the
    /// [`Reply`](crate::messages::Reply), both as JSON.
    fn call(&self, request: RSlice<'_, u8>) -> RVec<u8>;

    /// Writes one record to the host's log; `level` is that of the `log` crate as a number, 1
    /// (error) to 5 (trace).
    fn log(&self, level: u32, target: RStr<'_>, message: RStr<'_>);

    /// Whether the command is asked to stop.
    #[sabi(last_prefix_field)]
    fn is_cancelled(&self) -> bool;
}

/// The host as a library receives it: owned, so that nothing that outlives a call dangles.
pub type HostObject = Host_TO<'static, RBox<()>>;

/// The one module that a library exports.
///
/// `invoke` answers one [`Request`](crate::messages::Request) with one
/// [`Response`](crate::messages::Response), both as JSON.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModuleRef)))]
#[sabi(missing_field(panic))]
pub struct PluginModule {
    #[sabi(last_prefix_field)]
    pub invoke: extern "C" fn(request: RSlice<'_, u8>, host: HostObject) -> RVec<u8>,
}

impl RootModule for PluginModuleRef {
    abi_stable::declare_root_module_statics! {PluginModuleRef}

    const BASE_NAME: &'static str = "playdock_plugin";
    const NAME: &'static str = "playdock_plugin";
    const VERSION_STRINGS: VersionStrings = abi_stable::package_version_strings!();
}
