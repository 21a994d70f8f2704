//! Values in parameters.

use serde_json::json;

use super::*;
use crate::playbook::variables::Variables;

fn variable(variable_type: &str, value: Option<&str>) -> Variable {
    let declaration = json!({"type": variable_type, "value": null});
    let declaration = serde_json::from_value(declaration).unwrap();
    Variable { value: value.map(str::to_owned), ..Variable::declared(&declaration).unwrap() }
}

fn variables(variables: &[(&str, &str, Option<&str>)]) -> Variables {
    let variables = variables
        .iter()
        .map(|(name, variable_type, value)| ((*name).to_owned(), variable(variable_type, *value)));
    variables.collect()
}

/// Substitutes with one variable, `__x__`.
fn with(variable_type: &str, value: Option<&str>, text: Value) -> Result<Value, String> {
    let playbook = variables(&[("__x__", variable_type, value)]);
    substitute(&text, &Scope { step: &Variables::new(), playbook: &playbook })
}

/// The value of a lone reference.
fn typed(variable_type: &str, value: &str) -> Value {
    with(variable_type, Some(value), "__x__:value".into()).unwrap()
}

#[test]
fn a_lone_reference_takes_the_typed_value() {
    assert_eq!(typed("integer", "-5"), json!(-5));
    assert_eq!(typed("long", "9000000000"), json!(9_000_000_000_i64));
    assert_eq!(typed("float", "2.5"), json!(2.5));
    assert_eq!(typed("bool", "False"), json!(false));
    assert_eq!(typed("string", "5"), json!("5"));
    assert_eq!(typed("string", ""), json!(""));
    assert_eq!(typed("ipv4-addr", "10.0.0.1"), json!("10.0.0.1"));
    assert_eq!(typed("dictionary", "{\"a\": [1]}"), json!({"a": [1]}));
    assert_eq!(typed("dictionary", "[\"7\", \"8\"]"), json!(["7", "8"]));
    assert_eq!(typed("string", "[\"7\", \"8\"]"), json!(["7", "8"]));
}

#[test]
fn within_a_text_the_value_is_text() {
    let text = "__x__:value and <__x__:value>".into();
    assert_eq!(with("integer", Some("5"), text).unwrap(), "5 and <5>");
    let text = " __x__:value".into();
    assert_eq!(with("dictionary", Some("[1]"), text).unwrap(), " [1]");
}

#[test]
fn references_are_found_wherever_a_text_stands_in_the_tree() {
    let tree = json!({"a": ["__x__:value", {"b": "n=__x__:value"}], "__x__:value": 1, "c": null});
    assert_eq!(
        with("integer", Some("5"), tree).unwrap(),
        json!({"a": [5, {"b": "n=5"}], "__x__:value": 1, "c": null})
    );
}

#[test]
fn values_are_not_looked_through_again() {
    let playbook = variables(&[
        ("__a__", "string", Some("__b__:value")),
        ("__b__", "string", Some("secret")),
        ("__half__", "string", Some("__b__:val")),
    ]);
    let scope = Scope { step: &Variables::new(), playbook: &playbook };
    let substituted = |text: &str| substitute(&text.into(), &scope).unwrap();
    assert_eq!(substituted("__a__:value"), "__b__:value");
    assert_eq!(substituted("<__a__:value>"), "<__b__:value>");
    assert_eq!(substituted("__half__:valueue"), "__b__:value");
}

#[test]
fn null_is_null_alone_and_a_failure_within_a_text() {
    assert_eq!(with("string", None, "__x__:value".into()).unwrap(), Value::Null);
    let error = with("string", None, "<__x__:value>".into()).unwrap_err();
    assert_eq!(
        error,
        "variable `__x__` has no value to put into a text; give it one before this step"
    );
}

#[test]
fn a_value_that_is_not_of_its_type_is_a_failure() {
    let error =
        |variable_type, value| with(variable_type, Some(value), "__x__:value".into()).unwrap_err();
    assert_eq!(
        error("integer", "many"),
        "variable `__x__` can't be used: \"many\" isn't of type integer (a whole number)"
    );
    assert_eq!(
        error("dictionary", ""),
        "variable `__x__` can't be used: \"\" isn't of type dictionary (the JSON text of an object \
         or a list)"
    );
}

#[test]
fn a_text_that_begins_like_a_list_and_is_none_stays_text() {
    let value = with("string", Some("[P1] done"), "__x__:value".into()).unwrap();
    assert_eq!(value, json!("[P1] done"));
}

#[test]
fn the_step_s_variables_hide_the_playbook_s() {
    let playbook = variables(&[("__x__", "string", Some("outer")), ("__y__", "string", Some("y"))]);
    let step = variables(&[("__x__", "string", Some("inner"))]);
    let scope = Scope { step: &step, playbook: &playbook };
    let text = "__x__:value __y__:value".into();
    assert_eq!(substitute(&text, &scope).unwrap(), "inner y");
}

#[test]
fn names_are_taken_from_the_left_like_the_standard_s_pattern() {
    let names = |text: &str| {
        let mut names = Vec::new();
        references(&text.into(), &mut String::new(), &mut |_, name| names.push(name.to_owned()));
        names
    };
    assert_eq!(names("a__b__:value"), ["__b__"]);
    assert_eq!(names("__a__b__:value"), ["__a__b__"]);
    assert_eq!(names("__a__:value__b__:value"), ["__a__", "__b__"]);
    assert_eq!(names("é__a-1__:value."), ["__a-1__"]);
    for none in ["__a__", "__a__:Value", "____:value", "__1__:value", "_a_:value", ":value"] {
        assert_eq!(names(none), [""; 0], "{none}");
    }
    let longest = format!("__{}__", "a".repeat(200));
    assert_eq!(names(&format!("{longest}:value")), [longest.as_str()]);
    assert_eq!(names(&format!("__a{}:value", &longest[2..])), [""; 0]);
}
