//! The entry of a library: a request's bytes in, a response's bytes out, and no panic past it.

use crate::command::{CommandError, UtilityCommand};
use crate::context::ContextError;
use crate::host_context::HostContext;
use crate::host_link::HostLink;
use crate::log_bridge;
use crate::messages::{
    self, CommandDescription, Finished, Invocation, MessageError, Request, Response,
};
use crate::parameters::read::ParameterNames;
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once, OnceLock};

/// One command of a library, its type put away.
pub struct CommandEntry {
    name: &'static str,
    describe: fn() -> CommandDescription,
    run: fn(&ParameterNames, Invocation<'_>, &dyn HostLink) -> Result<Finished, CommandError>,
    schema: fn() -> schemars::Schema,
    names: OnceLock<ParameterNames>,
}

impl CommandEntry {
    /// The entry of a command.
    pub const fn of<C: UtilityCommand>() -> CommandEntry {
        CommandEntry {
            name: C::NAME,
            describe: describe::<C>,
            run: run::<C>,
            schema: parameters_schema::<C>,
            names: OnceLock::new(),
        }
    }
}

fn parameters_schema<C: UtilityCommand>() -> schemars::Schema {
    let generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    let mut schema = generator.into_root_schema_for::<C::Parameters<'static>>();
    // What stands above the struct is for whoever reads its code.
    schema.remove("title");
    schema.remove("description");
    // Unknown names are refused, so the schema says so.
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// A description of a command, for the host and for tests.
pub(crate) fn describe<C: UtilityCommand>() -> CommandDescription {
    let text = C::text();
    CommandDescription {
        name: C::NAME.to_owned(),
        succeeded: C::SUCCEEDED.to_owned(),
        outputs: C::OUTPUTS.iter().map(|output| (*output).to_owned()).collect(),
        title: text.title.to_owned(),
        description: text.description.to_owned(),
        category: text.category.to_owned(),
        tags: text.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        parameters: parameters_schema::<C>().to_value(),
        columns: C::columns(),
        examples: C::examples().iter().map(|example| serde_json::json!(example)).collect(),
    }
}

fn run<C: UtilityCommand>(
    names: &ParameterNames,
    invocation: Invocation<'_>,
    host: &dyn HostLink,
) -> Result<Finished, CommandError> {
    let parameters = names.read(invocation.parameters).map_err(CommandError::Failed)?;
    C::run(parameters, &mut HostContext::new(host, invocation.execution))
}

/// Answers a request. Whatever panics in it is answered as [`Response::Panicked`].
pub(crate) fn serve(commands: &[CommandEntry], request: &[u8], host: Arc<dyn HostLink>) -> Vec<u8> {
    let response = guard(AssertUnwindSafe(|| {
        let _entered = log_bridge::enter(&host);
        messages::write(&answer(commands, request, &*host))
    }));
    // The host object may run code of the host as it is dropped, so it is dropped under guard too.
    let dropped = guard(AssertUnwindSafe(move || drop(host)));
    match (response, dropped) {
        (Ok(response), Ok(())) => response,
        (Err(message), _) | (_, Err(message)) => messages::write(&Response::Panicked { message }),
    }
}

fn answer(commands: &[CommandEntry], request: &[u8], host: &dyn HostLink) -> Response {
    match messages::read(request) {
        Ok(Request::Describe { .. }) => Response::Described {
            commands: commands.iter().map(|command| (command.describe)()).collect(),
            must_understand: Vec::new(),
        },
        Ok(Request::Invoke(invocation)) => invoke(commands, invocation, host),
        Err(error) => refuse(error),
    }
}

fn invoke(commands: &[CommandEntry], invocation: Invocation<'_>, host: &dyn HostLink) -> Response {
    log_bridge::set_level(invocation.log_level.as_deref());
    let Some(command) = commands.iter().find(|command| command.name == invocation.command) else {
        let error = format!("The library has no command {}.", invocation.command);
        return Response::Failed { error };
    };
    let names = command.names.get_or_init(|| ParameterNames::of(&(command.schema)()));
    match (command.run)(names, invocation, host) {
        Ok(finished) => Response::Finished(finished),
        Err(CommandError::Context(ContextError::Cancelled)) => Response::Cancelled {},
        Err(error) => Response::Failed { error: error.to_string() },
    }
}

fn refuse(error: MessageError) -> Response {
    match error {
        MessageError::Unsupported(what) => Response::Unsupported { what },
        MessageError::Malformed(_) => {
            Response::Failed { error: format!("The request is {error}.") }
        }
    }
}

thread_local! {
    /// Where the latest panic of this thread was, and what it said.
    static LATEST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the words of a panic for the response, in place of printing them on standard error,
/// where they would mix with the host's. Only for a library that was loaded: in a test, the
/// test's own hook stays.
pub(crate) fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let said = words(info.payload());
            let message = match info.location() {
                Some(place) => format!("{said} (at {}:{})", place.file(), place.line()),
                None => said,
            };
            log::error!("panicked: {message}");
            let _ = LATEST_PANIC.try_with(|latest| latest.replace(Some(message)));
        }));
    });
}

/// Runs `work`; a panic becomes its message.
pub(crate) fn guard<T>(work: impl FnOnce() -> T + std::panic::UnwindSafe) -> Result<T, String> {
    catch_unwind(work).map_err(|payload| {
        let said = words(&*payload);
        // A panic that was passed on from another thread didn't run the hook: what the hook kept
        // is that of an earlier one, which the command caught itself.
        let hooked = LATEST_PANIC.try_with(RefCell::take).ok().flatten();
        let message = hooked.filter(|hooked| hooked.starts_with(&said)).unwrap_or(said);
        // The payload is the author's, and dropping it may panic again: then it is leaked.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        message
    })
}

fn words(payload: &(dyn Any + Send)) -> String {
    let said = payload.downcast_ref::<&str>().map(|said| (*said).to_owned());
    said.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}
