//! What the JSON Schema of a parameter says of its value, in a few words.

use serde_json::Value;

/// What kind of value a parameter has. A `title` says it best; else the types that are allowed.
pub(super) fn kind(schema: &Value) -> String {
    let alternatives = alternatives(schema);
    let title = alternatives.iter().find_map(|it| it.get("title").and_then(Value::as_str));
    if let Some(title) = title {
        return title.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for word in alternatives.iter().flat_map(|it| types(it)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.is_empty() {
        true => "Any value".to_owned(),
        false => words.join(" or "),
    }
}

/// The values that a parameter has to be one of, where its schema lists them.
pub(super) fn options(schema: &Value) -> Vec<String> {
    let of = |schema: &&Value| {
        let listed = schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
        listed.into_iter().chain(schema.get("const").cloned()).collect::<Vec<_>>()
    };
    let values = alternatives(schema).iter().flat_map(of).collect::<Vec<_>>();
    values.iter().filter(|value| !value.is_null()).map(super::shown).collect()
}

/// The schema itself, and those that it names as alternatives.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let among = |key| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    let inner = among("anyOf").chain(among("oneOf")).flat_map(alternatives);
    std::iter::once(schema).chain(inner).collect()
}

/// The types that a schema names itself, but for null, which is as absent.
fn types(schema: &Value) -> Vec<String> {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let word = |name: &&str| match *name {
        "string" => "Text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => "Whole number".to_owned(),
        "number" => "Number".to_owned(),
        "array" => match schema.get("items") {
            Some(items) => format!("Array of {}", kind(items).to_lowercase()),
            None => "Array".to_owned(),
        },
        "object" => "Object".to_owned(),
        other => other.to_owned(),
    };
    names.iter().filter(|name| **name != "null").map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_told_in_words() {
        for (schema, expected) in [
            (json!({ "type": "string" }), "Text"),
            (json!({ "type": ["integer", "null"] }), "Whole number"),
            (json!({ "type": "array", "items": { "type": "string" } }), "Array of text"),
            (json!({ "anyOf": [{ "type": "boolean" }, { "type": "null" }] }), "true or false"),
            (json!({ "anyOf": [{ "type": "number" }, { "type": "string" }] }), "Number or Text"),
            (json!({ "anyOf": [{ "title": "Yes or No", "type": "string" }] }), "Yes or No"),
            (json!(true), "Any value"),
            (json!({ "enum": ["a"] }), "Any value"),
        ] {
            assert_eq!(kind(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn options_are_those_of_every_alternative() {
        let severity = json!({ "anyOf": [
            { "oneOf": [{ "const": "High" }, { "const": "Low", "description": "…" }] },
            { "enum": ["Info", null] },
        ]});
        assert_eq!(options(&severity), ["High", "Low", "Info"]);
        assert!(options(&json!({ "type": "string" })).is_empty());
    }
}
