//! The parameters of an invocation: kept as they came, and told apart by a digest.

use crate::plugins::hexadecimal;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// The parameters of an invocation: a JSON object.
#[derive(Clone)]
pub struct Parameters {
    json: Box<RawValue>,
    digest: String,
}

/// Why something can't be parameters.
#[derive(Debug, thiserror::Error)]
pub enum InvalidParameters {
    /// It is no JSON.
    #[error("the parameters are not valid JSON: {0}")]
    NotJson(serde_json::Error),
    /// It is JSON, but no object.
    #[error("the parameters must be a JSON object, with a member for each parameter")]
    NotAnObject,
}

impl Parameters {
    /// Takes the text of a JSON object.
    ///
    /// # Errors
    ///
    /// [`InvalidParameters`]
    pub fn from_json(json: &[u8]) -> Result<Parameters, InvalidParameters> {
        Parameters::from_raw(serde_json::from_slice(json).map_err(InvalidParameters::NotJson)?)
    }

    /// Takes JSON that was read before.
    ///
    /// # Errors
    ///
    /// [`InvalidParameters`]
    pub fn from_raw(json: Box<RawValue>) -> Result<Parameters, InvalidParameters> {
        if !json.get().starts_with('{') {
            return Err(InvalidParameters::NotAnObject);
        }
        let mut deserializer = serde_json::Deserializer::from_str(json.get());
        let digest =
            Canonical.deserialize(&mut deserializer).map_err(InvalidParameters::NotJson)?;
        Ok(Parameters { json, digest: hexadecimal(&digest) })
    }

    /// The JSON, as it came.
    pub fn json(&self) -> &RawValue {
        &self.json
    }

    /// The SHA-256 of their canonical form, in hexadecimal: the same for objects that differ in
    /// white space, in the order of their members or in how text is escaped.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The names of the members, in the order of the alphabet.
    pub(super) fn names(&self) -> Vec<String> {
        serde_json::from_str::<BTreeMap<String, IgnoredAny>>(self.json.get())
            .map(|members| members.into_keys().collect())
            .unwrap_or_default()
    }

    /// The `Username` parameter, as it came; `None` where it isn't given.
    pub(super) fn username(&self) -> Result<Option<&RawValue>, String> {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(rename = "Username", borrow)]
            username: Option<&'a RawValue>,
        }
        serde_json::from_str::<Named<'_>>(self.json.get())
            .map(|named| named.username)
            .map_err(|_| "Parameter \"Username\" is given twice.".to_owned())
    }
}

/// The digest of a JSON value, made while it is read.
struct Canonical;

impl<'de> DeserializeSeed<'de> for Canonical {
    type Value = [u8; 32];
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<[u8; 32], D::Error> {
        let mut digest = Sha256::new();
        deserializer.deserialize_any(CanonicalBytes(&mut digest))?;
        Ok(digest.finalize().into())
    }
}

/// Feeds the canonical bytes of a JSON value to a digest while it is read, holding no more of it
/// than one object's members: a letter for its type, then what it holds, so that no two values have
/// the same bytes.
struct CanonicalBytes<'a>(&'a mut Sha256);

impl CanonicalBytes<'_> {
    fn value(self, kind: u8, bytes: &[u8]) {
        self.0.update([kind]);
        self.0.update(bytes);
    }
}

impl<'de> DeserializeSeed<'de> for CanonicalBytes<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CanonicalBytes<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.value(b'n', b"");
        Ok(())
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.value(b'b', &[u8::from(value)]);
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.value(b'i', &value.to_be_bytes());
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.value(b'u', &value.to_be_bytes());
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.value(b'f', &value.to_be_bytes());
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.update([b's']);
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.0.update(b"a");
        while elements.next_element_seed(CanonicalBytes(self.0))?.is_some() {}
        self.0.update(b".");
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut digests = Vec::new();
        while let Some(name) = members.next_key_seed(Canonical)? {
            digests.push((name, members.next_value_seed(Canonical)?));
        }
        digests.sort_unstable();
        self.0.update(b"o");
        self.0.update((digests.len() as u64).to_be_bytes());
        for (name, value) in digests {
            self.0.update(name);
            self.0.update(value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(json: &str) -> String {
        Parameters::from_json(json.as_bytes()).unwrap().digest().to_owned()
    }

    #[test]
    fn the_same_parameters_have_one_digest_however_they_are_written() {
        let written = digest(r#"{"a":["x",1,null],"b":{"c":true,"d":"\u0041"}}"#);
        assert_eq!(written, digest(r#" { "b" : {"d":"A","c":true} , "a" : [ "x" , 1 , null ] } "#));
    }

    #[test]
    fn other_parameters_have_another() {
        let jsons = [
            r"{}",
            r#"{"a":null}"#,
            r#"{"a":false}"#,
            r#"{"a":"false"}"#,
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":["x","y"]}"#,
            r#"{"a":["y","x"]}"#,
            r#"{"a":[["x"],"y"]}"#,
            r#"{"a":["xy"]}"#,
            r#"{"a":1}"#,
            r#"{"a":-1}"#,
            r#"{"a":1.5}"#,
            r#"{"b":1}"#,
            r#"{"a":1,"a":1}"#,
        ];
        let digests: std::collections::HashSet<String> =
            jsons.iter().map(|json| digest(json)).collect();
        assert_eq!(digests.len(), jsons.len());
    }

    #[test]
    fn only_an_object_can_be_parameters() {
        for json in ["[]", "null", "\"x\"", "3"] {
            let error = Parameters::from_json(json.as_bytes()).err().unwrap();
            assert!(matches!(error, InvalidParameters::NotAnObject), "{json}");
        }
        for json in [&b"{"[..], b"", b"{\"a\":\xff}", b"{} {}", b"{\"a\":\"\xed\xa0\x80\"}"] {
            let error = Parameters::from_json(json).err().unwrap();
            assert!(matches!(error, InvalidParameters::NotJson(_)), "{json:?}");
        }
    }
}
