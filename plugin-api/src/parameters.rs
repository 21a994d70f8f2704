//! The forms in which D3 accepts parameters, as types for a command's parameters struct.
//!
//! A parameters struct derives serde's `Deserialize` and schemars' `JsonSchema`; the comment on a
//! field becomes its description. Reading the struct (unknown, missing and repeated names) is the
//! SDK's work, in `parameters/read.rs`.

pub(crate) mod read;
mod text_list;

#[doc(hidden)]
pub use read::unknown;
pub use text_list::TextList;

use crate::rich_text::{LONGEST_CONCLUSION, is_too_long};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A switch: `Yes`, `No`, `true` or `false` as text in any case, or a JSON boolean. Anything else
/// is an error, null and blank text too.
///
/// ```
/// use playdock_plugin_api::parameters::YesNo;
/// assert_eq!(serde_json::from_str::<YesNo>("\"yes\"").unwrap(), YesNo(true));
/// assert!(serde_json::from_str::<YesNo>("\"maybe\"").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct YesNo(pub bool);

impl<'de> Deserialize<'de> for YesNo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<YesNo, D::Error> {
        struct YesNoVisitor;
        impl Visitor<'_> for YesNoVisitor {
            type Value = YesNo;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("Yes, No, true or false")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<YesNo, E> {
                Ok(YesNo(value))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<YesNo, E> {
                let is_any_of =
                    |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
                if is_any_of(["Yes", "true"]) {
                    Ok(YesNo(true))
                } else if is_any_of(["No", "false"]) {
                    Ok(YesNo(false))
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(clip(text)), &self))
                }
            }
        }
        deserializer.deserialize_any(YesNoVisitor)
    }
}

impl Serialize for YesNo {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0 { "Yes" } else { "No" })
    }
}

impl JsonSchema for YesNo {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "YesNo".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "Yes or No",
            "anyOf": [
                { "type": "boolean" },
                { "type": "string", "pattern": "^([Yy][Ee][Ss]|[Nn][Oo]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$" }
            ]
        })
    }
}

/// The `Username` parameter, which names the acting user of an automatic execution. The host
/// resolves it before the command runs (see [`Execution::actor`](crate::Execution::actor)), so
/// the command declares it and never reads it.
///
/// ```
/// use playdock_plugin_api::parameters::ActingUser;
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Parameters {
///     /// The user in whose name the command runs when a playbook runs it.
///     #[serde(rename = "Username", default)]
///     username: ActingUser,
/// }
/// let parameters: Parameters = serde_json::from_str(r#"{"Username":"admin user"}"#).unwrap();
/// assert_eq!(parameters.username, ActingUser);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActingUser;

impl<'de> Deserialize<'de> for ActingUser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ActingUser, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| ActingUser)
    }
}

impl JsonSchema for ActingUser {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "ActingUser".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "Text", "type": ["string", "null"] })
    }
}

/// Reads an optional parameter for which null and blank text are as absent: put
/// `#[serde(default, deserialize_with = "blank_as_absent")]` on a field of `Option`.
///
/// ```
/// use playdock_plugin_api::parameters::blank_as_absent;
/// #[derive(serde::Deserialize)]
/// struct Parameters {
///     #[serde(default, deserialize_with = "blank_as_absent")]
///     conclusion: Option<String>,
/// }
/// let parameters: Parameters = serde_json::from_str(r#"{"conclusion":"  "}"#).unwrap();
/// assert_eq!(parameters.conclusion, None);
/// ```
///
/// # Errors
///
/// The value is neither blank nor a `T`.
pub fn blank_as_absent<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&'de RawValue>::deserialize(deserializer)?;
    let blank = match raw.get().as_bytes().first() {
        Some(b'n') => true,
        Some(b'"') => read::borrowed_text(raw.get()).is_ok_and(|text| text.trim().is_empty()),
        _ => false,
    };
    if blank {
        return Ok(None);
    }
    serde_json::from_str(raw.get())
        .map(Some)
        .map_err(|error| de::Error::custom(read::plain(&error)))
}

/// Reads text to append to conclusions: null and blank text are as absent, and it may have
/// [`LONGEST_CONCLUSION`] characters at most. Put
/// `#[serde(default, deserialize_with = "conclusion")]` on a field of `Option<String>`.
///
/// ```
/// use playdock_plugin_api::parameters::conclusion;
/// #[derive(serde::Deserialize)]
/// struct Parameters {
///     #[serde(default, deserialize_with = "conclusion")]
///     conclusion: Option<String>,
/// }
/// let parameters: Parameters = serde_json::from_str(r#"{"conclusion":"Done."}"#).unwrap();
/// assert_eq!(parameters.conclusion.as_deref(), Some("Done."));
/// ```
///
/// # Errors
///
/// The value is no text, or too long.
pub fn conclusion<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = blank_as_absent(deserializer)?;
    match text.as_deref().is_some_and(is_too_long) {
        false => Ok(text),
        true => Err(de::Error::custom(format_args!(
            "must not have more than {LONGEST_CONCLUSION} characters"
        ))),
    }
}

/// Text that may not be blank, without white space around it:
/// `#[serde(deserialize_with = "not_blank")]` on a field of `String`.
///
/// ```
/// use playdock_plugin_api::parameters::not_blank;
/// #[derive(serde::Deserialize)]
/// struct Parameters {
///     #[serde(deserialize_with = "not_blank")]
///     owner: String,
/// }
/// let parameters: Parameters = serde_json::from_str(r#"{"owner":" jane"}"#).unwrap();
/// assert_eq!(parameters.owner, "jane");
/// assert!(serde_json::from_str::<Parameters>(r#"{"owner":"  "}"#).is_err());
/// ```
///
/// # Errors
///
/// The value is blank, or no text.
pub fn not_blank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Err(de::Error::custom("must not be blank")),
        text => Ok(text.to_owned()),
    }
}

/// The beginning of a text that may be long, for an error.
fn clip(text: &str) -> &str {
    const LONGEST: usize = 60;
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}
