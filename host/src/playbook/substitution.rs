//! Puts the values of variables where `__name__:value` stands in the parameters of a command.
//!
//! A text that is nothing but one reference takes the typed value; within a longer text the value
//! is put in as text. It is done in one pass: what a value holds is never looked through again, so
//! nobody can smuggle a reference in through a value.

use serde_json::{Map, Value};

use super::model::variable::VariableType;
use super::problem::push_segment;
use super::variables::{Scope, Variable, boolean, check, float, is_name, is_name_byte};

/// What follows the name in a reference.
const SUFFIX: &str = ":value";

/// The longest name, underscores included.
const LONGEST_NAME: usize = 204;

/// One reference in a text: the name, and the bytes from `start` to `end` that it takes up.
#[derive(Debug, PartialEq, Eq)]
struct Reference<'a> {
    name: &'a str,
    start: usize,
    end: usize,
}

/// The first reference in `text` at or after `from`.
fn next_reference(text: &str, from: usize) -> Option<Reference<'_>> {
    let bytes = text.as_bytes();
    let mut search = from;
    while let Some(found) = text.get(search..)?.find(SUFFIX) {
        let name_end = search + found;
        let mut run = name_end;
        while run > search.max(name_end.saturating_sub(LONGEST_NAME))
            && is_name_byte(bytes[run - 1])
        {
            run -= 1;
        }
        // The leftmost beginning wins, as with a regular expression.
        let name = (run..name_end).map(|start| &text[start..name_end]).find(|name| is_name(name));
        if let Some(name) = name {
            let (start, end) = (name_end - name.len(), name_end + SUFFIX.len());
            return Some(Reference { name, start, end });
        }
        search = name_end + SUFFIX.len();
    }
    None
}

/// Whether a text refers to a variable.
pub(super) fn has_reference(text: &str) -> bool {
    next_reference(text, 0).is_some()
}

/// Calls `found` with the pointer and the name of each reference in the members.
pub(super) fn member_references(
    members: &Map<String, Value>,
    pointer: &mut String,
    found: &mut impl FnMut(&str, &str),
) {
    let length = pointer.len();
    for (name, member) in members {
        push_segment(pointer, name);
        references(member, pointer, found);
        pointer.truncate(length);
    }
}

fn references(value: &Value, pointer: &mut String, found: &mut impl FnMut(&str, &str)) {
    let length = pointer.len();
    match value {
        Value::String(text) => {
            let mut from = 0;
            while let Some(reference) = next_reference(text, from) {
                found(pointer, reference.name);
                from = reference.end;
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                push_segment(pointer, &index.to_string());
                references(element, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => member_references(members, pointer, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The members with the values of the variables in them.
///
/// # Errors
///
/// With a sentence, when a value is missing within a text, or isn't what its type says.
pub(super) fn substitute_members(
    members: &Map<String, Value>,
    scope: &Scope<'_>,
) -> Result<Map<String, Value>, String> {
    let substituted =
        members.iter().map(|(name, member)| Ok((name.clone(), substitute(member, scope)?)));
    substituted.collect()
}

fn substitute(value: &Value, scope: &Scope<'_>) -> Result<Value, String> {
    match value {
        Value::String(text) => substitute_text(text, scope),
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| substitute(element, scope));
            elements.collect::<Result<_, _>>().map(Value::Array)
        }
        Value::Object(members) => substitute_members(members, scope).map(Value::Object),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
    }
}

fn substitute_text(text: &str, scope: &Scope<'_>) -> Result<Value, String> {
    let variable = |name: &str| {
        let variable = scope.get(name);
        variable.ok_or_else(|| format!("variable `{name}` isn't declared"))
    };
    let mut substituted = String::new();
    let mut from = 0;
    while let Some(Reference { name, start, end }) = next_reference(text, from) {
        if start == 0 && end == text.len() {
            return typed_value(name, variable(name)?);
        }
        let variable = variable(name)?;
        let value = variable.value.as_deref();
        let value = value.ok_or_else(|| no_value(name, variable))?;
        substituted.push_str(&text[from..start]);
        substituted.push_str(value);
        from = end;
    }
    substituted.push_str(&text[from..]);
    Ok(Value::String(substituted))
}

/// The value as JSON of its type.
fn typed_value(name: &str, variable: &Variable) -> Result<Value, String> {
    let Some(text) = &variable.value else {
        return Ok(Value::Null);
    };
    // CACAO has no type for lists, so a list travels as JSON text. A text such as `[P1] done`
    // begins like one and is none.
    let list = text.starts_with('[').then(|| serde_json::from_str(text).ok()).flatten();
    if let Some(list) = list {
        return Ok(list);
    }
    let value = match variable.variable_type {
        VariableType::Dictionary => serde_json::from_str(text).ok(),
        VariableType::Integer | VariableType::Long => text.parse::<i64>().ok().map(Value::from),
        VariableType::Float => float(text).map(Value::from),
        VariableType::Bool => boolean(text).map(Value::from),
        _ => Some(Value::from(text.as_str())),
    };
    value.ok_or_else(|| {
        let reason = check(&variable.variable_type, text).err();
        let reason = reason.unwrap_or_default();
        format!("variable `{name}` can't be used: {reason}")
    })
}

/// The sentence about a variable that can't stand within a text, because text can't hold null.
fn no_value(name: &str, variable: &Variable) -> String {
    let since = variable.unknown_since.as_ref();
    let since = since.map(|since| format!(", since {since}"));
    format!(
        "variable `{name}` has no value to put into a text{}; give it one before this step",
        since.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests;
