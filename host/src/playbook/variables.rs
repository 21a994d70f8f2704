//! Variables while a playbook runs: their values, and whether a text is a value of a type.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::model;
use super::model::variable::VariableType;

/// Variables by their names, underscores and all.
pub(super) type Variables = BTreeMap<String, Variable>;

/// A variable with the value that it has now.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub variable_type: VariableType,
    /// Null, which isn't the empty text, means that the value is unknown.
    pub value: Option<String>,
    /// Why a step left the value unknown, where one did.
    pub unknown_since: Option<String>,
    pub constant: bool,
    pub external: bool,
}

/// The variables that one step sees.
pub(super) struct Scope<'a> {
    /// These hide the playbook's.
    pub step: &'a Variables,
    pub playbook: &'a Variables,
}

impl<'a> Scope<'a> {
    /// The variable that this name means.
    pub fn get(&self, name: &str) -> Option<&'a Variable> {
        self.step.get(name).or_else(|| self.playbook.get(name))
    }
}

impl Variable {
    /// The variable as it is declared.
    ///
    /// # Errors
    ///
    /// With a sentence, when the type isn't known or the value isn't one of its type.
    pub fn declared(declaration: &model::variable::Variable) -> Result<Self, String> {
        let variable_type = declaration.variable_type.clone();
        if let VariableType::Other(name) = &variable_type {
            let known = VariableType::STANDARD.map(|known| format!("`{known}`"));
            return Err(format!(
                "variable type `{name}` isn't one of CACAO 2.0, which are {}; a list travels as a \
                 `dictionary`: its JSON as text",
                known.join(", ")
            ));
        }
        let value = match &declaration.value {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(object @ Value::Object(_)) if variable_type == VariableType::Dictionary => {
                Some(object.to_string())
            }
            Some(_) => return Err("a value is written as text; put it in quotation marks".into()),
        };
        // The empty text is a value of every type: "known to be empty".
        if let Some(text) = value.as_deref().filter(|text| !text.is_empty()) {
            check(&variable_type, text)?;
        }
        let (constant, external) = (declaration.constant, declaration.external);
        Ok(Self { variable_type, value, unknown_since: None, constant, external })
    }
}

/// Whether `name` can be the name of a variable: `__name__`.
pub(super) fn is_name(name: &str) -> bool {
    let Some(inner) = name.strip_prefix("__").and_then(|name| name.strip_suffix("__")) else {
        return false;
    };
    inner.len() <= 200
        && inner.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && inner.bytes().all(is_name_byte)
}

/// Whether a name can hold this byte.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Checks that a text is a value of the type.
///
/// # Errors
///
/// With a sentence that shows the text and says what was expected.
pub(super) fn check(variable_type: &VariableType, text: &str) -> Result<(), String> {
    let hexadecimal = |length: Option<usize>| {
        !text.is_empty()
            && length.is_none_or(|length| text.len() == length)
            && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let (fits, expected) = match variable_type {
        VariableType::String | VariableType::Other(_) => (true, "text"),
        VariableType::Bool => (boolean(text).is_some(), "`true` or `false`"),
        VariableType::Integer | VariableType::Long => {
            (text.parse::<i64>().is_ok(), "a whole number")
        }
        VariableType::Float => (float(text).is_some(), "a number"),
        VariableType::Dictionary => (
            matches!(serde_json::from_str(text), Ok(Value::Object(_) | Value::Array(_))),
            "the JSON text of an object or a list",
        ),
        VariableType::Hexstring => {
            (hexadecimal(None) && text.len().is_multiple_of(2), "pairs of hexadecimal digits")
        }
        VariableType::Ipv4Addr => {
            (address::<Ipv4Addr>(text, 32), "an IPv4 address, with or without a /prefix")
        }
        VariableType::Ipv6Addr => {
            (address::<Ipv6Addr>(text, 128), "an IPv6 address, with or without a /prefix")
        }
        VariableType::MacAddr => {
            let pair =
                |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            (
                text.split(':').count() == 6 && text.split(':').all(pair),
                "six pairs of hexadecimal digits with colons between them",
            )
        }
        VariableType::Hash => (hexadecimal(None), "hexadecimal digits"),
        VariableType::Md5Hash => (hexadecimal(Some(32)), "32 hexadecimal digits"),
        VariableType::Sha256Hash => (hexadecimal(Some(64)), "64 hexadecimal digits"),
        VariableType::Uri => (uri(text), "a URI with its scheme, such as https://example.com"),
        VariableType::Uuid => (uuid::Uuid::parse_str(text).is_ok(), "a UUID"),
    };
    if fits {
        return Ok(());
    }
    let shown: String = text.chars().take(40).collect();
    let cut = if shown.len() < text.len() { "…" } else { "" };
    Err(format!("\"{shown}{cut}\" isn't of type {variable_type} ({expected})"))
}

/// The truth value that a text stands for.
pub(super) fn boolean(text: &str) -> Option<bool> {
    [("true", true), ("false", false)]
        .into_iter()
        .find_map(|(word, value)| text.eq_ignore_ascii_case(word).then_some(value))
}

/// The number that a text stands for, if JSON can write it.
pub(super) fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn address<A: std::str::FromStr>(text: &str, longest_prefix: u8) -> bool {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
    address.parse::<A>().is_ok() && prefix.parse().is_ok_and(|prefix: u8| prefix <= longest_prefix)
}

fn uri(text: &str) -> bool {
    let is_scheme_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(is_scheme_byte)
            && !rest.is_empty()
            && !text.contains(char::is_whitespace)
    })
}
