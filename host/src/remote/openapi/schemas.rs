//! The schemas of the OpenAPI page.

use playdock_plugin_api::ColumnKind;
use playdock_plugin_api::messages::CommandDescription;
use serde_json::{Map, Value, json};

/// A reference to one of the schemas.
pub(super) fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// The schemas that have nothing to do with a command.
pub(super) fn common() -> Map<String, Value> {
    let schemas = json!({
        "Refusal": {
            "type": "object",
            "required": ["Error"],
            "properties": { "Error": { "type": "string" } },
            "additionalProperties": false
        },
        "Answer": {
            "type": "object",
            "required": ["result", "error", "returnData", "contextData"],
            "properties": {
                "result": { "type": "string", "description": "An HTML table." },
                "error": { "type": "string", "description": "Empty, or a sentence." },
                "returnData": { "enum": ["Successful", "Partially Successful", "Failed"] },
                "contextData": { "type": "array", "items": { "type": "object" } }
            }
        },
        "Execution": {
            "type": "object",
            "required": ["id", "command", "site", "state"],
            "properties": {
                "id": { "type": "string" },
                "command": { "type": "string" },
                "site": { "type": "string" },
                "state": { "enum": ["running", "interrupted", "finished"] },
                "progress": {
                    "type": "object",
                    "description": "How many incidents are done, of how many.",
                    "required": ["done", "total"],
                    "properties": {
                        "done": { "type": "integer" },
                        "total": { "type": "integer" }
                    }
                },
                "startedAt": { "type": "string", "format": "date-time" },
                "finishedAt": { "type": "string", "format": "date-time" },
                "answer": reference("Answer")
            },
            "additionalProperties": false
        }
    });
    match schemas {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    }
}

/// The schema of a command's parameters, whose inner references are made to hold here.
pub(super) fn parameters(command: &CommandDescription) -> Value {
    let mut schema = command.parameters.clone();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
    }
    let inside = format!("#/components/schemas/{}.Parameters", command.name);
    move_references(&mut schema, &inside);
    schema
}

fn move_references(schema: &mut Value, inside: &str) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        if let Some(rest) = target.strip_prefix('#') {
                            *target = format!("{inside}{rest}");
                        }
                    }
                    _ => move_references(member, inside),
                }
            }
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| move_references(element, inside));
        }
        _ => {}
    }
}

/// A row of `contextData`.
pub(super) fn row(command: &CommandDescription) -> Value {
    let columns = &command.columns.context;
    let required: Vec<&str> = columns.iter().map(|column| column.name.as_ref()).collect();
    let schema = |kind| match kind {
        ColumnKind::Number => json!({ "type": ["number", "string"] }),
        ColumnKind::Result => json!({ "enum": ["Successful", "Failed"] }),
        _ => json!({ "type": "string" }),
    };
    let mut properties: Map<String, Value> =
        columns.iter().map(|column| (column.name.to_string(), schema(column.kind))).collect();
    properties.insert("Reason".to_owned(), json!({ "type": "string" }));
    properties.insert("Error message".to_owned(), json!({ "type": "string" }));
    json!({ "type": "object", "required": required, "properties": properties })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_inside_a_schema_are_moved_with_it() {
        let mut schema = json!({
            "properties": { "$ref": { "type": "string" }, "a": { "$ref": "#/$defs/A" } },
            "$defs": { "A": { "items": [{ "$ref": "#" }, { "$ref": "https://other/schema" }] } }
        });
        move_references(&mut schema, "#/x");
        let expected = json!({
            "properties": { "$ref": { "type": "string" }, "a": { "$ref": "#/x/$defs/A" } },
            "$defs": { "A": { "items": [{ "$ref": "#/x" }, { "$ref": "https://other/schema" }] } }
        });
        assert_eq!(schema, expected);
    }
}
