//! The members of one JSON object, taken one by one, so that what nobody took is known at the end.
//!
//! It knows names and types, and nothing of what the members mean.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::error::LineProblem;
use super::nearest::{did_you_mean, nearest};
use super::words::UnknownWord;

/// Characters of a wrong value that an error repeats.
const GIVEN_CHARACTERS: usize = 40;

/// The members of an object that nobody took yet.
pub(super) struct Members<'a> {
    of: &'static str,
    left: Vec<(String, &'a RawValue)>,
    asked: Vec<&'static str>,
}

impl<'a> Members<'a> {
    /// Reads an object; `of` says what it is: "a task".
    pub(super) fn read(text: &'a str, of: &'static str) -> Result<Self, LineProblem> {
        let Object(left) = serde_json::from_str(text)
            .map_err(|error| LineProblem::NotAnObject(without_line(&error)))?;
        Ok(Self { of, left, asked: Vec::new() })
    }

    /// Says what the object is, once its kind is known.
    pub(super) fn rename(&mut self, of: &'static str) {
        self.of = of;
    }

    /// An error if a member is left: one that nobody asked for, or the second of its name.
    pub(super) fn finish(self) -> Result<(), LineProblem> {
        match self.left.into_iter().next() {
            None => Ok(()),
            Some((member, _)) if self.asked.contains(&member.as_str()) => {
                Err(LineProblem::RepeatedMember { member, of: self.of })
            }
            Some((member, _)) => Err(LineProblem::UnknownMember {
                hint: did_you_mean(&member, self.asked),
                member,
                of: self.of,
            }),
        }
    }

    /// A text that must be there and not be blank.
    pub(super) fn name(&mut self, member: &'static str) -> Result<String, LineProblem> {
        let Some(raw) = self.take(member) else {
            return Err(self.missing(member));
        };
        let name: String = self.typed(member, raw, "text")?;
        if name.trim().is_empty() {
            return Err(LineProblem::BlankMember { member, of: self.of });
        }
        Ok(name)
    }

    /// A text; null is an empty one.
    pub(super) fn text(&mut self, member: &'static str) -> Result<Option<String>, LineProblem> {
        let Some(raw) = self.take(member) else {
            return Ok(None);
        };
        let text: Option<String> = self.typed(member, raw, "text or null")?;
        Ok(Some(text.unwrap_or_default()))
    }

    /// A text that says nothing where it is empty or null.
    pub(super) fn filled_text(
        &mut self,
        member: &'static str,
    ) -> Result<Option<String>, LineProblem> {
        Ok(self.text(member)?.filter(|text| !text.is_empty()))
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, member: &'static str) -> Result<Option<bool>, LineProblem> {
        match self.take(member) {
            None => Ok(None),
            Some(raw) => self.typed(member, raw, "true or false").map(Some),
        }
    }

    /// A word of a closed list.
    pub(super) fn word<T>(&mut self, member: &'static str) -> Result<Option<T>, LineProblem>
    where
        T: TryFrom<String, Error = UnknownWord>,
    {
        let Some(raw) = self.take(member) else {
            return Ok(None);
        };
        let word: String = self.typed(member, raw, "text")?;
        let word = T::try_from(word).map_err(|unknown| LineProblem::UnknownWord {
            member,
            of: self.of,
            unknown,
        })?;
        Ok(Some(word))
    }

    /// An RFC 3339 instant, or null for none.
    pub(super) fn instant(
        &mut self,
        member: &'static str,
    ) -> Result<Option<Option<Timestamp>>, LineProblem> {
        let Some(raw) = self.take(member) else {
            return Ok(None);
        };
        let expected = "an instant like \"2021-01-26T22:10:00Z\" or null";
        let text: Option<String> = self.typed(member, raw, expected)?;
        let instant =
            text.map(|text| text.parse().map_err(|_| self.wrong_type(member, raw, expected)));
        instant.transpose().map(Some)
    }

    /// A list of texts.
    pub(super) fn texts(
        &mut self,
        member: &'static str,
    ) -> Result<Option<Vec<String>>, LineProblem> {
        match self.take(member) {
            None => Ok(None),
            Some(raw) => self.typed(member, raw, "a list of text").map(Some),
        }
    }

    /// A list of objects, each as its text.
    pub(super) fn objects(
        &mut self,
        member: &'static str,
    ) -> Result<Option<Vec<&'a str>>, LineProblem> {
        let Some(raw) = self.take(member) else {
            return Ok(None);
        };
        let list: Vec<&RawValue> = serde_json::from_str(raw.get())
            .map_err(|_| self.wrong_type(member, raw, "a list of objects"))?;
        match list.iter().find(|item| !item.get().starts_with('{')) {
            Some(item) => Err(self.wrong_type(member, item, "a list of objects")),
            None => Ok(Some(list.into_iter().map(RawValue::get).collect())),
        }
    }

    /// Any JSON, null where absent.
    pub(super) fn value(&mut self, member: &'static str) -> Result<serde_json::Value, LineProblem> {
        match self.take(member) {
            None => Ok(serde_json::Value::Null),
            Some(raw) => self.typed(member, raw, "JSON of at most 127 levels"),
        }
    }

    fn take(&mut self, member: &'static str) -> Option<&'a RawValue> {
        self.asked.push(member);
        let index = self.left.iter().position(|(left, _)| left == member)?;
        Some(self.left.remove(index).1)
    }

    fn typed<T: DeserializeOwned>(
        &self,
        member: &'static str,
        raw: &RawValue,
        expected: &'static str,
    ) -> Result<T, LineProblem> {
        serde_json::from_str(raw.get()).map_err(|_| self.wrong_type(member, raw, expected))
    }

    fn wrong_type(
        &self,
        member: &'static str,
        raw: &RawValue,
        expected: &'static str,
    ) -> LineProblem {
        let mut given: String = raw.get().chars().take(GIVEN_CHARACTERS).collect();
        if given.len() < raw.get().len() {
            given.push('…');
        }
        LineProblem::WrongType { member, of: self.of, expected, given }
    }

    /// A missing member may be there under a misspelt name: then that is what to say.
    fn missing(&self, member: &'static str) -> LineProblem {
        let misspelt = nearest(member, self.left.iter().map(|(left, _)| left.as_str()));
        match misspelt {
            Some(misspelt) => LineProblem::UnknownMember {
                member: misspelt.to_owned(),
                of: self.of,
                hint: did_you_mean(misspelt, [member]),
            },
            None => LineProblem::MissingMember { member, of: self.of },
        }
    }
}

/// The text is one line of a file: the line that serde_json counts would mislead.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    format!("{reason} (at byte {})", error.column())
}

/// An object as a list: a repeated member must not silently win over the earlier one.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}
