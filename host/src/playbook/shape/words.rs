//! Says in the words of a playbook's author what serde found wrong with an object.

/// What is wrong with a type that is a number, a list and the like.
pub(super) const TYPE_IS_TEXT: &str = "a type is written as text; put it in quotation marks";

/// The sentence for an error of serde; its own where there is no better one.
pub(super) fn sentence(message: &str) -> String {
    if let Some(member) = message.strip_prefix("missing field ") {
        return format!("{member} is missing; add it");
    }
    // The only thing in a playbook that serde tries several ways is the type of a variable.
    if message.starts_with("data did not match any variant") {
        return TYPE_IS_TEXT.to_owned();
    }
    let wrong =
        message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    // A text that was found may hold anything, so the last separator is the one.
    match wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let expected = self::expected(expected);
            format!("{} stands where {expected} belongs", self::found(found))
        }
        None => message.to_owned(),
    }
}

/// What stands there.
fn found(serde: &str) -> &str {
    match serde {
        "map" => "an object",
        "sequence" => "a list",
        "unit value" => "null",
        value => ["integer ", "floating point ", "boolean ", "string "]
            .iter()
            .find_map(|kind| value.strip_prefix(kind))
            .unwrap_or(value),
    }
}

/// What belongs there.
fn expected(serde: &str) -> &str {
    match serde {
        "a string" => "text",
        "a sequence" => "a list",
        "a boolean" => "`true` or `false`",
        // The only numbers of the standard are milliseconds and, smaller, degrees of importance.
        "u64" => "a number of milliseconds, 0 or more,",
        "u8" => "a number from 0 to 100",
        "a map" => "an object",
        object if object.starts_with("struct ") => "an object",
        other => other,
    }
}
