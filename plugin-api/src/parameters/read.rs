//! Reading a command's parameters: every name known, given once, and there if it is required.

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The names of a command's parameters, taken from the schema of its parameters struct.
#[derive(Debug)]
pub(crate) struct ParameterNames {
    known: Vec<String>,
    required: Vec<String>,
}

impl ParameterNames {
    pub(crate) fn of(schema: &schemars::Schema) -> ParameterNames {
        let names = |key: &str| schema.get(key).cloned().unwrap_or_default();
        ParameterNames {
            known: match names("properties") {
                serde_json::Value::Object(properties) => {
                    properties.into_iter().map(|(name, _)| name).collect()
                }
                _ => Vec::new(),
            },
            required: match names("required") {
                serde_json::Value::Array(required) => {
                    required.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
                }
                _ => Vec::new(),
            },
        }
    }

    /// Reads the parameters struct, or says in one sentence what is wrong.
    pub(crate) fn read<'de, P: Deserialize<'de>>(
        &self,
        parameters: &'de RawValue,
    ) -> Result<P, String> {
        let mut deserializer = serde_json::Deserializer::from_str(parameters.get());
        let given =
            deserializer.deserialize_map(CheckNames(self)).map_err(|error| plain(&error))?;
        if let Some(missing) = self.required.iter().find(|name| !given.contains(*name)) {
            return Err(format!("Parameter \"{missing}\" is required."));
        }
        let mut deserializer = serde_json::Deserializer::from_str(parameters.get());
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let problem = plain(error.inner());
            format!("Parameter \"{}\": {problem}.", error.path())
        })
    }
}

/// Checks the names alone; gives back those that were given.
struct CheckNames<'a>(&'a ParameterNames);

impl<'de> Visitor<'de> for CheckNames<'_> {
    type Value = Vec<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the parameters as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Vec<String>, A::Error> {
        let mut given: Vec<String> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if !self.0.known.contains(&name) {
                return Err(de::Error::custom(unknown(&name, &self.0.known)));
            }
            if given.contains(&name) {
                return Err(de::Error::custom(format_args!(
                    "Parameter \"{name}\" is given twice."
                )));
            }
            given.push(name);
            members.next_value::<IgnoredAny>()?;
        }
        Ok(given)
    }
}

/// The sentence about a name that no parameter has.
pub fn unknown(name: &str, known: &[String]) -> String {
    let given = name.to_lowercase();
    // "Owner" is meant for "New Owner" rather than for "Note".
    let likeness = |known: &str| {
        let known = known.to_lowercase();
        let is_part = !given.is_empty() && known.contains(&given);
        strsim::jaro_winkler(&given, &known) + f64::from(u8::from(is_part))
    };
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let name = super::clip(name);
    match nearest {
        Some(nearest) => {
            format!("Unknown parameter \"{name}\"; the nearest known one is \"{nearest}\".")
        }
        None => format!("Unknown parameter \"{name}\": the command has none."),
    }
}

/// The text of what is known to be a JSON value, if it is a string; borrowed where it holds no
/// escape.
pub(crate) fn borrowed_text(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let inside = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    // That it is JSON was seen before: where nothing is escaped, it is the text.
    if let Some(text) = inside.filter(|it| !it.bytes().any(|byte| matches!(byte, b'\\' | b'"'))) {
        return Ok(Cow::Borrowed(text));
    }
    serde_json::from_str::<Text<'_>>(json).map(|text| text.0)
}

/// An error of serde_json without its line and column, which speak of one parameter alone.
pub(crate) fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    shorten(text.strip_suffix(&position).unwrap_or(&text))
}

/// Leaves out the middle of a long text: an error of serde may hold a whole value, and say after it
/// what is expected.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 400;
    if text.len() <= 2 * SHOWN {
        return text.to_owned();
    }
    let boundary = |from| (from..text.len()).find(|index| text.is_char_boundary(*index));
    let (begin, end) = (boundary(SHOWN), boundary(text.len() - SHOWN));
    let (begin, end) = (begin.unwrap_or(text.len()), end.unwrap_or(text.len()));
    format!("{} … {}", &text[..begin], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{ActingUser, TextList, YesNo, blank_as_absent};
    use schemars::JsonSchema;

    #[derive(Deserialize, JsonSchema, Debug, PartialEq)]
    struct Parameters<'a> {
        #[serde(rename = "Incident Numbers", borrow)]
        numbers: TextList<'a>,
        #[serde(rename = "Bypass", default, deserialize_with = "blank_as_absent")]
        bypass: Option<YesNo>,
        #[serde(rename = "Username", default)]
        user: ActingUser,
    }

    fn read(json: &str) -> Result<(usize, Option<YesNo>), String> {
        let names = ParameterNames::of(&schemars::schema_for!(Parameters<'static>));
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        names.read::<Parameters<'_>>(raw).map(|read| (read.numbers.iter().count(), read.bypass))
    }

    #[test]
    fn good_parameters_are_read() {
        let json = r#"{"Incident Numbers":["1","2"],"Bypass":"YES","Username":5}"#;
        assert_eq!(read(json).unwrap(), (2, Some(YesNo(true))));
        for blank in ["null", "\"\"", "\" \\t\""] {
            let json = format!(r#"{{"Incident Numbers":["1"],"Bypass":{blank}}}"#);
            assert_eq!(read(&json).unwrap(), (1, None));
        }
    }

    #[test]
    fn every_mistake_is_named() {
        for (json, sentence) in [
            (r#"{"Bypass":true}"#, "Parameter \"Incident Numbers\" is required."),
            (
                r#"{"Incident Nubers":[]}"#,
                "Unknown parameter \"Incident Nubers\"; the nearest known one is \"Incident Numbers\".",
            ),
            (r#"{"Bypass":true,"Bypass":true}"#, "Parameter \"Bypass\" is given twice."),
            (
                r#"{"Incident Numbers":["a",7]}"#,
                "Parameter \"Incident Numbers\": element 1 is no text: 7.",
            ),
            (
                r#"{"Incident Numbers":[],"Bypass":"maybe"}"#,
                "Parameter \"Bypass\": invalid value: string \"maybe\", expected Yes, No, true or false.",
            ),
            (
                r#"{"Incident Numbers":[],"Bypass":1}"#,
                "Parameter \"Bypass\": invalid type: integer `1`, expected Yes, No, true or false.",
            ),
        ] {
            assert_eq!(read(json).unwrap_err(), sentence);
        }
        let known = ["Note".to_owned(), "New Owner".to_owned()];
        assert!(unknown("owner", &known).ends_with("\"New Owner\"."));
        assert!(unknown("Not", &known).ends_with("\"Note\"."));
        assert!(read("[]").unwrap_err().contains("the parameters as a JSON object"));
    }
}
