//! The JSON Schema of parameters: which values it surely rejects, and random ones that it may take.
//!
//! Of the schema, only what is sure is used: a keyword that isn't known here rejects nothing.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The parameter that the host reads; a command declares it, and takes whatever is in it.
pub(super) const THE_HOSTS: &str = "Username";

/// The parameters of a schema, each with its own schema.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The parameters that a schema requires.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a value is surely none of a schema.
pub(super) fn rejects(schema: &Value, value: &Value) -> bool {
    let Value::Object(schema) = schema else { return *schema == Value::Bool(false) };
    let list = |name: &str| schema.get(name).and_then(Value::as_array);
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(list);
    list("enum").is_some_and(|values| !values.contains(value))
        || schema.get("const").is_some_and(|only| only != value)
        || schema.get("type").is_some_and(|types| !has_type(types, value))
        || alternatives.into_iter().any(|all| all.iter().all(|one| rejects(one, value)))
        || list("allOf").is_some_and(|all| all.iter().any(|one| rejects(one, value)))
        || value.as_f64().is_some_and(|number| {
            bound("minimum").is_some_and(|least| number < least)
                || bound("maximum").is_some_and(|most| number > most)
        })
        || value.as_array().is_some_and(|elements| {
            let items = schema.get("items");
            items.is_some_and(|items| elements.iter().any(|element| rejects(items, element)))
        })
        || value.as_object().is_some_and(|members| rejects_members(schema, members))
}

fn rejects_members(schema: &Map<String, Value>, members: &Map<String, Value>) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    let wrong = |(name, value): (&String, &Value)| {
        let property = properties.and_then(|properties| properties.get(name));
        property.or_else(|| schema.get("additionalProperties")).is_some_and(|it| rejects(it, value))
    };
    let mut required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    members.iter().any(wrong)
        || required.any(|name| name.as_str().is_some_and(|name| !members.contains_key(name)))
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(is_whole),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        // A type that isn't known rejects nothing.
        _ => true,
    };
    match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0
}

/// A random value that a schema may take.
pub(super) fn value(random: &mut Rng, schema: &Value) -> Value {
    nested(random, schema, 4)
}

fn nested(random: &mut Rng, schema: &Value, depth: u32) -> Value {
    let list = |name: &str| schema.get(name).and_then(Value::as_array);
    for name in ["enum", "anyOf", "oneOf"] {
        if let Some(one) = list(name).and_then(|all| random.choice(all)) {
            return if name == "enum" { one.clone() } else { nested(random, one, depth) };
        }
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    let name = match schema.get("type") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(names)) => random.choice(names).and_then(Value::as_str).unwrap_or(""),
        _ => "",
    };
    match name {
        "null" => Value::Null,
        "boolean" => random.bool().into(),
        "integer" => whole(random),
        "number" => number(random),
        "string" => text(random).into(),
        "array" if depth > 0 => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            (0..random.usize(0..8)).map(|_| nested(random, items, depth - 1)).collect()
        }
        "object" if depth > 0 => {
            let members = properties(schema).filter(|_| random.bool()).collect::<Vec<_>>();
            let pairs =
                members.into_iter().map(|(name, it)| (name.clone(), nested(random, it, depth - 1)));
            Value::Object(pairs.collect())
        }
        "array" => json!([]),
        "object" => json!({}),
        _ => any(random),
    }
}

/// A random value of any kind.
pub(super) fn any(random: &mut Rng) -> Value {
    match random.u32(0..9) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => whole(random),
        3 => number(random),
        4 => json!([]),
        5 => json!({}),
        6 => json!([text(random), null, [[]]]),
        7 => json!({ text(random): text(random) }),
        _ => text(random).into(),
    }
}

fn whole(random: &mut Rng) -> Value {
    let some = random.i64(-1000..1000);
    let all = [0, 1, -1, i64::MAX, i64::MIN, i64::from(u32::MAX), some];
    random.choice(all).unwrap_or_default().into()
}

fn number(random: &mut Rng) -> Value {
    let some = random.f64() * 1e6;
    json!(random.choice([0.0, -0.5, 1e300, -1e300, 5e-324, some]).unwrap_or_default())
}

/// A random text: pieces that are likely to be met wrongly.
fn text(random: &mut Rng) -> String {
    const PIECES: &[&str] = &[
        "INC-1",
        "20210127-198",
        "a",
        "Z",
        " ",
        "\t",
        "\n",
        ",",
        "[",
        "]",
        "\"",
        "\\",
        "{}",
        "0",
        "-1",
        "null",
        "Yes",
        "<b>",
        "&amp;",
        "'",
        ";",
        "%s",
        "\0",
        "é",
        "ß",
        "事件",
        "שלום",
        "😀",
        "\u{202e}",
        "\u{feff}",
    ];
    (0..random.usize(0..10)).filter_map(|_| random.choice(PIECES)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_schema_surely_rejects_is_told_from_what_it_may_take() {
        let schema = json!({
            "type": "object",
            "properties": {
                "list": { "anyOf": [
                    { "type": "array", "items": { "type": "string", "pattern": "x" } },
                    { "type": "string" }
                ] },
                "count": { "type": ["integer", "null"], "minimum": 0, "maximum": 255 },
                "kind": { "enum": ["a", "b"] }
            },
            "required": ["list"],
            "additionalProperties": false
        });
        for good in [
            json!({ "list": "a" }),
            json!({ "list": ["no pattern is looked at"], "count": null }),
            json!({ "list": [], "count": 255.0, "kind": "b" }),
        ] {
            assert!(!rejects(&schema, &good), "{good}");
        }
        for bad in [
            json!({}),
            json!([]),
            json!({ "list": 7 }),
            json!({ "list": ["a", null] }),
            json!({ "list": [], "count": 0.5 }),
            json!({ "list": [], "count": 256 }),
            json!({ "list": [], "kind": "c" }),
            json!({ "list": [], "other": 1 }),
        ] {
            assert!(rejects(&schema, &bad), "{bad}");
        }
    }

    #[test]
    fn random_values_follow_from_their_seed_and_fit_their_schema() {
        let schema = json!({ "type": "object", "properties": {
            "a": { "type": "array", "items": { "type": ["string", "integer"] } },
            "b": { "anyOf": [{ "type": "boolean" }, { "const": 5 }] }
        } });
        let of = |seed| {
            let mut random = Rng::with_seed(seed);
            (0..100).map(|_| value(&mut random, &schema)).collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert!(of(9).iter().all(|value| !rejects(&schema, value)));
    }
}
