//! Asking a library for its commands, once its code may run, and holding its answer against what
//! its file says.

use super::error::PluginError;
use super::file::InspectedFile;
use super::limits::{LARGEST_RESPONSE, MOST_COLUMNS};
use playdock_plugin_api::messages::{self, CommandDescription, Request, Response};

/// The request that a library is asked with.
pub(crate) fn describe_request() -> Vec<u8> {
    messages::write(&Request::Describe { must_understand: Vec::new() })
}

/// Reads a library's answer.
///
/// # Errors
///
/// [`PluginError`]: it is no answer, or names other commands than the file does.
pub(crate) fn read_description(
    file: &InspectedFile,
    response: &[u8],
) -> Result<Vec<CommandDescription>, PluginError> {
    let not_described =
        |cause: String| PluginError::NotDescribed { path: file.path().to_owned(), cause };
    if response.len() > LARGEST_RESPONSE {
        return Err(not_described(format!(
            "its answer has {} bytes, and {LARGEST_RESPONSE} is the most",
            response.len()
        )));
    }
    let commands = match messages::read(response) {
        Ok(Response::Described { commands, .. }) => commands,
        Ok(Response::Failed { error }) => return Err(not_described(error)),
        Ok(Response::Panicked { message }) => {
            return Err(not_described(format!("it panicked: {message}")));
        }
        Ok(Response::Unsupported { what }) => {
            return Err(not_described(format!("it doesn't know {what}")));
        }
        Ok(_) => return Err(not_described("it answered something else".to_owned())),
        Err(error) => return Err(not_described(format!("its answer is {error}"))),
    };
    let described: Vec<&str> = commands.iter().map(|it| it.name.as_str()).collect();
    if described != file.identity().commands {
        return Err(PluginError::Lies {
            path: file.path().to_owned(),
            named: file.identity().commands.join(", "),
            described: described.join(", "),
        });
    }
    for command in &commands {
        let columns = &command.columns;
        if columns.context.len().max(columns.table.len()) > MOST_COLUMNS {
            let name = &command.name;
            return Err(not_described(format!("{name} has more than {MOST_COLUMNS} columns")));
        }
    }
    Ok(commands)
}
