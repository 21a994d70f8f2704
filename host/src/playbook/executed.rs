//! The types of steps and of commands that are executed here.
//!
//! They are looked at before anything else of a step: what is wrong within one that isn't executed
//! doesn't matter.

/// The type of the commands that this host executes:
/// `{"type": "soar-utility", "version": "1.0", "command": "…", "parameters": {…}}`.
pub(super) const SOAR_UTILITY: &str = "soar-utility";

/// Checks that steps of this type are executed.
///
/// # Errors
///
/// With a sentence, when they aren't.
pub(super) fn step_type(name: &str) -> Result<(), String> {
    match name {
        "start" | "action" | "end" => Ok(()),
        _ => Err(format!(
            "a step of type `{name}` isn't executed here; `start`, `action` and `end` are"
        )),
    }
}

/// Checks that commands of this type are executed.
///
/// # Errors
///
/// With a sentence, when they aren't.
pub(super) fn command_type(name: &str) -> Result<(), String> {
    match name {
        SOAR_UTILITY => Ok(()),
        _ => Err(format!("a command of type `{name}` isn't executed here; `{SOAR_UTILITY}` is")),
    }
}
