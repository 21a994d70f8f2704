//! A list of texts in every form that D3 accepts, kept as it came so that a million entries cost
//! no memory of their own.

use super::{clip, read};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A list of texts: a JSON array of text; or text that is the JSON of such an array (it begins
/// with `[`), a comma-separated list (empty pieces are skipped), or one entry. Entries are trimmed
/// of white space.
///
/// An array element that is no text, or is blank, is an error that gives its index, from 0; null
/// or blank text for the whole is an error; an empty array is not.
///
/// ```
/// use playdock_plugin_api::parameters::TextList;
/// let list: TextList = serde_json::from_str(r#""20210127-198, 20210127-197""#).unwrap();
/// assert_eq!(list.iter().collect::<Vec<_>>(), ["20210127-198", "20210127-197"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextList<'a>(Form<'a>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form<'a> {
    /// The text of a JSON array whose elements are known to be texts that aren't blank.
    Array(Cow<'a, str>),
    /// Pieces between commas, of which one at least isn't blank.
    Commas(Cow<'a, str>),
}

impl<'a> TextList<'a> {
    /// The entries, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let (array, commas) = match &self.0 {
            Form::Array(text) => (Some(Elements { rest: text }), None),
            Form::Commas(text) => {
                let pieces = text.split(',').map(str::trim).filter(|piece| !piece.is_empty());
                (None, Some(pieces.map(Cow::Borrowed)))
            }
        };
        array.into_iter().flatten().chain(commas.into_iter().flatten())
    }

    /// Reads the text of a JSON array.
    fn array(text: Cow<'a, str>) -> Result<TextList<'a>, String> {
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        deserializer
            .deserialize_seq(CheckElements)
            .and_then(|()| deserializer.end())
            .map_err(|error| read::plain(&error))?;
        Ok(TextList(Form::Array(text)))
    }

    fn text(text: Cow<'a, str>) -> Result<TextList<'a>, String> {
        if text.trim_start().starts_with('[') {
            TextList::array(text).map_err(|error| {
                format!("text that begins with `[` must be the JSON of an array of text: {error}")
            })
        } else if text.split(',').all(|piece| piece.trim().is_empty()) {
            Err("is blank: give at least one entry, or an empty array".to_owned())
        } else {
            Ok(TextList(Form::Commas(text)))
        }
    }
}

/// Makes the JSON array of the texts given; a blank one stays in it, and the host answers for it.
impl<T: AsRef<str>> FromIterator<T> for TextList<'static> {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> TextList<'static> {
        let mut json = String::from("[");
        for (index, text) in texts.into_iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(&serde_json::Value::from(text.as_ref()).to_string());
        }
        json.push(']');
        TextList(Form::Array(Cow::Owned(json)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TextList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TextList<'a>, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let list = match raw.as_bytes().first() {
            Some(b'[') => TextList::array(Cow::Borrowed(raw)),
            Some(b'"') => read::borrowed_text(raw)
                .map_err(|error| read::plain(&error))
                .and_then(TextList::text),
            _ => Err(format!("must be an array of text or text, not {}", clip(raw))),
        };
        list.map_err(de::Error::custom)
    }
}

impl JsonSchema for TextList<'_> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "TextList".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "Array of text",
            "anyOf": [
                { "type": "array", "items": { "type": "string", "pattern": "\\S" } },
                { "type": "string", "pattern": "[^\\s,]" }
            ]
        })
    }
}

/// Checks the elements of an array one by one and keeps none.
struct CheckElements;

impl<'de> Visitor<'de> for CheckElements {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of text")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut index = 0;
        while elements.next_element_seed(CheckElement { index })?.is_some() {
            index += 1;
        }
        Ok(())
    }
}

struct CheckElement {
    index: u64,
}

impl<'de> DeserializeSeed<'de> for CheckElement {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let index = self.index;
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match read::borrowed_text(raw) {
            Ok(text) if text.trim().is_empty() => {
                Err(de::Error::custom(format_args!("element {index} is blank")))
            }
            Ok(_) => Ok(()),
            Err(_) if raw.starts_with('"') => {
                Err(de::Error::custom(format_args!("element {index} is text that can't be read")))
            }
            Err(_) => {
                Err(de::Error::custom(format_args!("element {index} is no text: {}", clip(raw))))
            }
        }
    }
}

/// Walks over the elements of a JSON array that was checked before.
struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let start = self.rest.find('"')?;
        let bytes = self.rest.as_bytes();
        let mut end = start + 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let (element, rest) = self.rest[start..].split_at_checked(end + 1 - start)?;
        self.rest = rest;
        Some(match read::borrowed_text(element).ok()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(json: &str) -> Result<Vec<String>, String> {
        serde_json::from_str::<TextList<'_>>(json)
            .map(|list| list.iter().map(Cow::into_owned).collect())
            .map_err(|error| read::plain(&error))
    }

    #[test]
    fn every_accepted_form_gives_the_same_entries() {
        for json in [
            r#"["20210127-198","20210127-197"]"#,
            r#" [ " 20210127-198 " , "20210127-19\u0037" ] "#,
            r#""[\"20210127-198\", \"20210127-197\"]""#,
            r#"" [\"20210127-198\",\"20210127-197\"] ""#,
            r#""20210127-198,20210127-197""#,
            r#"",20210127-198 ,, 20210127-197,""#,
        ] {
            assert_eq!(list(json).unwrap(), ["20210127-198", "20210127-197"], "{json}");
        }
        assert_eq!(list(r#""TEST-INCIDENT-73""#).unwrap(), ["TEST-INCIDENT-73"]);
        assert_eq!(list("[]").unwrap(), [""; 0]);
        assert_eq!(list(r#""[]""#).unwrap(), [""; 0]);
    }

    #[test]
    fn quotes_brackets_and_backslashes_stay_inside_their_entry() {
        assert_eq!(list(r#"["a\"b,c]\\","\\\\","d"]"#).unwrap(), [r#"a"b,c]\"#, r"\\", "d"]);
        assert_eq!(list("[\"\\u0000\",\"\u{5d0}\"]").unwrap(), ["\0", "\u{5d0}"]);
    }

    #[test]
    fn what_is_no_list_of_texts_says_where() {
        assert_eq!(list(r#"["a",7]"#).unwrap_err(), "element 1 is no text: 7");
        assert_eq!(list(r#"["a","b",null]"#).unwrap_err(), "element 2 is no text: null");
        assert_eq!(list(r#"[" \t"]"#).unwrap_err(), "element 0 is blank");
        assert!(list(r#""[1]""#).unwrap_err().contains("element 0 is no text: 1"));
        assert!(list(r#""[oops""#).unwrap_err().starts_with("text that begins with `[`"));
        assert!(list("\"[]x\"").is_err());
        for json in ["null", "7", "true", "{}"] {
            assert!(list(json).unwrap_err().starts_with("must be an array"), "{json}");
        }
        for json in [r#""""#, r#"" ""#, r#"", ,""#] {
            assert!(list(json).unwrap_err().starts_with("is blank"), "{json}");
        }
    }

    #[test]
    fn a_list_can_be_made_from_texts() {
        let made: TextList<'_> = ["a", "b\"c"].into_iter().collect();
        assert_eq!(made.iter().collect::<Vec<_>>(), ["a", "b\"c"]);
    }
}
