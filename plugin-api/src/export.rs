//! Making a library of commands: the macro, and what it expands to.

use crate::boundary::{HostObject, PluginModule, PluginModuleRef};
use crate::log_bridge;
use crate::serve::{install_panic_hook, serve};
use abi_stable::library::{__call_root_module_loader, CheckTypeLayout, RootModuleResult};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::std_types::{RSlice, RVec};
use std::sync::Arc;

pub use crate::serve::CommandEntry;
pub use abi_stable::library::LibHeader;

/// The commands of a library; implemented by [`export_plugin!`](crate::export_plugin).
pub trait Library: 'static {
    /// One entry for each command.
    fn commands() -> &'static [CommandEntry];
    /// What stands in the section of its identity.
    fn identity() -> &'static [u8];
}

/// The header through which the host finds the library's module.
pub const fn header<L: Library>() -> LibHeader {
    // SAFETY: the module that `construct` hands out is a `PluginModuleRef`, the type named here.
    unsafe { LibHeader::from_constructor::<PluginModuleRef>(construct::<L>, CheckTypeLayout::Yes) }
}

extern "C" fn construct<L: Library>() -> RootModuleResult {
    __call_root_module_loader(module::<L>)
}

fn module<L: Library>() -> PluginModuleRef {
    // Some linkers leave out what nothing refers to, whatever section it is in.
    std::hint::black_box(L::identity());
    PluginModule { invoke: invoke::<L> }.leak_into_prefix()
}

extern "C" fn invoke<L: Library>(request: RSlice<'_, u8>, host: HostObject) -> RVec<u8> {
    install_panic_hook();
    log_bridge::install();
    serve(L::commands(), request.as_slice(), Arc::new(host)).into()
}

/// Exports commands from a library: call it once, in a crate of type `cdylib`, with the types that
/// implement [`UtilityCommand`](crate::UtilityCommand).
///
/// The library's name and version are those of the crate. A crate that is compiled with
/// `panic = "abort"` doesn't compile with it, since its panics would end the host.
///
/// ```
/// # use playdock_plugin_api::*;
/// # struct ShowStatus;
/// # impl UtilityCommand for ShowStatus {
/// #     const NAME: &'static str = "ShowStatus";
/// #     type Parameters<'request> = std::collections::BTreeMap<String, String>;
/// #     fn text() -> CommandText { CommandText { title: "", description: "", category: "", tags: &[] } }
/// #     fn columns() -> Columns { Columns::new() }
/// #     fn examples() -> Vec<Example> { Vec::new() }
/// #     fn run(_: Self::Parameters<'_>, _: &mut dyn IncidentContext) -> Result<Finished, CommandError> {
/// #         Ok(Finished::default())
/// #     }
/// # }
/// playdock_plugin_api::export_plugin!(ShowStatus);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($($command:ty),+ $(,)?) => {
        const _: () = {
            #[cfg(panic = "abort")]
            ::core::compile_error!(
                "a plugin needs `panic = \"unwind\"`: with \"abort\", its panics would end the host"
            );

            struct ThisLibrary;

            impl $crate::export::Library for ThisLibrary {
                fn commands() -> &'static [$crate::export::CommandEntry] {
                    static COMMANDS: [$crate::export::CommandEntry; NAMES.len()] =
                        [$($crate::export::CommandEntry::of::<$command>()),+];
                    &COMMANDS
                }

                fn identity() -> &'static [u8] {
                    &IDENTITY
                }
            }

            const NAMES: &[&str] = &[$(<$command as $crate::UtilityCommand>::NAME),+];
            const LENGTH: usize = $crate::identity::identity_length(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
                NAMES,
            );

            // SAFETY: a section of our own, which holds plain bytes that nothing relocates.
            #[used]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = "playdock"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,playdock"))]
            static IDENTITY: [u8; LENGTH] = $crate::identity::identity_bytes(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
                NAMES,
            );

            // SAFETY: the name is the one at which abi_stable looks for a header, and a library
            // has one; it is a header, made for the type that the host asks for.
            #[unsafe(no_mangle)]
            static _1as_0lib_1header_0root_bmodule_bloader: $crate::export::LibHeader =
                $crate::export::header::<ThisLibrary>();
        };
    };
}
