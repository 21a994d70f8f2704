//! What crosses between the host and a library: one function and one object, and nothing else.
//!
//! All types that must be laid out alike on both sides live in this file, and in a crate of their
//! own: abi_stable compares the version of the crate too, so this one's never moves, however often
//! that of `playdock-plugin-api` does. What changes over the years travels inside the byte strings,
//! as messages. Authors of commands never meet these types.
//!
//! The feature `open` adds the one function that opens a library and takes its module.

// The macros of abi_stable predate these lints.
#![allow(missing_docs, non_camel_case_types, non_local_definitions, clippy::all)]

#[cfg(feature = "open")]
mod open;

#[cfg(feature = "open")]
pub use open::{OpenError, open};

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RSlice, RStr, RVec};

/// The version of the boundary in this file. A host loads a library of the same version alone.
pub const BOUNDARY_VERSION: u32 = 1;

/// What the host offers to a command while it runs.
#[abi_stable::sabi_trait]
pub trait Host: Send + Sync {
    /// Hands over one call and returns the reply, both as JSON (`playdock_plugin_api::messages`).
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
/// `invoke` answers one request with one response, both as JSON (`playdock_plugin_api::messages`).
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

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;

    /// What stays out of a comparison: where things lie in this process, and in the source.
    fn layout() -> String {
        let all = format!("{:#?}", <PluginModuleRef as StableAbi>::LAYOUT);
        let compared = [
            "full_type: ",
            "alignment: ",
            "size: ",
            "name: ",
            "param_names: ",
            "type_: ",
            "package_and_version: ",
            "repr_attr: ",
        ];
        let lines = all.lines().map(str::trim);
        let lines = lines.filter(|line| compared.iter().any(|member| line.starts_with(member)));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn what_crosses_is_laid_out_as_it_always_was() {
        let (now, always) = (layout(), include_str!("layout.txt"));
        let changed = now.lines().zip(always.lines()).find(|(now, always)| now != always);
        let what_to_do = "version 1 of the boundary is frozen, and no plugin that was built before \
            could be loaded: take the change back, and add a message in place of it";
        assert_eq!(changed, None, "{what_to_do}");
        assert_eq!(now.lines().count(), always.lines().count(), "{what_to_do}");
    }
}
