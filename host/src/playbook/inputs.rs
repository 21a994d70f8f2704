//! The values that a caller gives to a playbook's external variables.

use std::collections::BTreeMap;

use super::problem::Lines;
use super::variables::{Variable, Variables, check};

/// Why one value isn't taken, or is missed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// An external variable has no value.
    #[error("variable `{0}` has no value; give it one with `--set {0}=value`")]
    Missing(String),
    /// The caller may not set this variable.
    #[error("variable `{name}` can't be set; {settable}")]
    NotSettable {
        /// The variable that was given.
        name: String,
        /// A sentence about those that can be set.
        settable: String,
    },
    /// The value isn't one of the variable's type.
    #[error("variable `{name}` can't take this value: {reason}")]
    NotOfItsType {
        /// The variable that was given.
        name: String,
        /// A sentence about the value.
        reason: String,
    },
}

/// Everything that is wrong with the values of a caller; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Lines("things are wrong with the variables", .0))]
pub struct InputErrors(pub Vec<InputError>);

/// Whether a caller may set the variable.
pub(super) fn is_settable(variable: &Variable) -> bool {
    variable.external && !variable.constant
}

/// The variables with the caller's values in them.
///
/// # Errors
///
/// When a value is missing, is of another type, or is for a variable that the caller can't set.
pub(super) fn with_supplied(
    mut variables: Variables,
    supplied: &BTreeMap<String, String>,
) -> Result<Variables, InputErrors> {
    let mut errors = Vec::new();
    for (name, value) in supplied {
        let Some(variable) = variables.get_mut(name).filter(|variable| is_settable(variable))
        else {
            let settable = settable(&variables);
            errors.push(InputError::NotSettable { name: name.clone(), settable });
            continue;
        };
        if let Err(reason) = check(&variable.variable_type, value) {
            errors.push(InputError::NotOfItsType { name: name.clone(), reason });
        }
        variable.value = Some(value.clone());
    }
    let missing =
        variables.iter().filter(|(_, variable)| variable.external && variable.value.is_none());
    errors.extend(missing.map(|(name, _)| InputError::Missing(name.clone())));
    if errors.is_empty() { Ok(variables) } else { Err(InputErrors(errors)) }
}

/// A sentence about the variables that a caller can set.
fn settable(variables: &Variables) -> String {
    let names: Vec<_> = variables
        .iter()
        .filter(|(_, variable)| is_settable(variable))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    match names.as_slice() {
        [] => "this playbook has none that can".to_owned(),
        names => format!("those that can are {}", names.join(", ")),
    }
}
