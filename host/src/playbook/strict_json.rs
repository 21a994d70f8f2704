//! Reads JSON and finds names that an object holds twice.
//!
//! serde's maps keep the last of two members with one name and say nothing, so a playbook with
//! two steps of the same id would run with one of them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::{Problem, push_segment};

/// Reads a JSON document, and reports each repeated name.
///
/// # Errors
///
/// When the text isn't exactly one JSON value.
pub(super) fn read(json: &[u8]) -> Result<(Value, Vec<Problem>), serde_json::Error> {
    // Editors on Windows begin a file with this mark; JSON readers stumble over it.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let mut place = Place { pointer: String::new(), repeated: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = Node(&mut place).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, place.repeated))
}

/// Where the reader is, and what it has found.
struct Place {
    pointer: String,
    repeated: Vec<Problem>,
}

impl Place {
    /// Reads below `segment`.
    fn below<T>(&mut self, segment: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        push_segment(&mut self.pointer, segment);
        let value = read(self);
        self.pointer.truncate(length);
        value
    }
}

/// Reads one value at a place.
struct Node<'a>(&'a mut Place);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = self
            .0
            .below(&list.len().to_string(), |place| elements.next_element_seed(Node(place)))?
        {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = self.0.below(&name, |place| {
                if object.contains_key(&name) {
                    place.repeated.push(Problem::new(
                        place.pointer.clone(),
                        format!("`{name}` stands here twice; remove or rename one of the two"),
                    ));
                }
                members.next_value_seed(Node(place))
            })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_read_as_serde_json_reads_it() {
        let text = r#"{"a": [1, -2, 2.5, true, null, "x"], "b": {"c": {}}}"#;
        let (value, repeated) = read(text.as_bytes()).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(repeated, []);
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(read(b"\xef\xbb\xbf[]").unwrap().0, json!([]));
    }

    #[test]
    fn every_repeated_name_is_reported_with_its_pointer() {
        let (_, repeated) = read(br#"{"a/b": [{"c": 1, "c": 2}], "a/b": 3}"#).unwrap();
        let pointers: Vec<_> = repeated.iter().map(|problem| &*problem.pointer).collect();
        assert_eq!(pointers, ["/a~1b/0/c", "/a~1b"]);
    }

    #[test]
    fn what_follows_the_value_and_what_nests_too_deep_is_refused() {
        assert!(read(b"{} {}").is_err());
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }
}
