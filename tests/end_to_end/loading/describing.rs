//! What `plugins inspect` says of a library's commands: asked inside a sandbox, and nowhere else.

use super::{SHIPPED, nothing};
use playdock_tests::{Finished, library};
use serde_json::Value;
use std::path::Path;

fn inspect(name: &str, form: &str) -> Finished {
    let (playdock, file) = (nothing(), library(name));
    let mut command =
        playdock.command(&["plugins", "inspect", &file.to_string_lossy(), "--output", form]);
    // Looking at a library needs no trust.
    command.env_remove("PLAYDOCK_POLICY");
    command.output().expect("the program runs").into()
}

#[test]
fn parameters_are_told_in_the_order_of_their_declaration_with_what_is_asked_of_each() {
    let said = inspect(SHIPPED, "text");
    assert_eq!((said.code, said.errors.as_str()), (Some(0), ""));
    let from = said.output.find("  Parameters\n").expect("there are parameters");
    let to = said.output.find("\n  Columns\n").expect("there are columns");
    let parameters = said.output[from..to].lines().skip(1);
    let names: Vec<&str> =
        parameters.filter(|line| line.find(|it| it != ' ') == Some(4)).map(str::trim).collect();
    let expected = [
        "Incident Numbers (required)",
        "Bypass Required Pending Tasks (required)",
        "Bypass All Required Fields (optional)",
        "Username (required for automatic runs)",
        "Conclusion (optional)",
    ];
    assert_eq!(names, expected);
    for line in [
        "      The array of incident numbers for the incidents that are to be closed.",
        "      Type: Array of text",
        "      Sample: [\"20210127-198\",\"20210127-197\"]",
        "      Default: No",
        "    Close Date: a date and time",
        "    not-found (Failed)",
    ] {
        assert!(said.output.lines().any(|it| it == line), "{line:?} is not in: {}", said.output);
    }
}

#[test]
fn programs_get_the_whole_schemas() {
    let said = inspect(SHIPPED, "json").answer();
    let schema = &said["descriptions"][0]["parameters"];
    assert_eq!(schema["properties"]["Incident Numbers"]["anyOf"][0]["type"], "array");
    assert_eq!(schema["required"].as_array().map(Vec::len), Some(2));
    // The comment on the struct is for whoever reads the code.
    assert_eq!((schema.get("title"), schema.get("description")), (None, None));
    assert_eq!(said["descriptions"][0]["columns"]["context"][0]["name"], "Incident Number");
}

#[test]
fn the_reference_page_of_the_shipped_command_is_the_one_that_is_kept() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/REFERENCE.md");
    let kept = std::fs::read_to_string(&page).expect("it can be read");
    let said = inspect(SHIPPED, "markdown");
    assert_eq!((said.code, said.errors.as_str()), (Some(0), ""));
    assert_eq!(said.output, kept, "write it anew to {}", page.display());
}

#[test]
fn a_library_that_can_not_describe_itself_is_shown_as_far_as_its_file_goes() {
    for (name, words) in [
        ("panics_in_describe", "it panicked"),
        ("lying", "its file names the commands"),
        ("other_layout", "build it with a matching playdock-plugin-api"),
    ] {
        let said = inspect(name, "text");
        assert_eq!(said.code, Some(4), "{said:?}");
        assert!(said.output.contains("  SHA-256   "), "{said:?}");
        assert!(!said.output.contains("Parameters"), "{said:?}");
        assert!(said.errors.contains(words), "\"{words}\" is not in: {said:?}");
        assert_eq!(said.errors.lines().count(), 1, "{said:?}");

        let json = inspect(name, "json");
        assert_eq!((json.code, &json.answer()["descriptions"]), (Some(4), &Value::Null));
        let page = inspect(name, "markdown");
        assert_eq!((page.code, page.output.as_str()), (Some(4), ""));
    }
}

#[test]
fn what_runs_in_process_elsewhere_is_looked_at_inside_the_sandbox() {
    let file = library("constructor");
    let playdock = nothing();
    let trace = playdock.folder().join("trace");
    let path = file.to_string_lossy();
    let mut command = playdock.command(&["plugins", "inspect", &path, "--isolation", "in-process"]);
    command.env("CONSTRUCTOR_TRACE", &trace);
    let said: Finished = command.output().expect("the program runs").into();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.output.contains("Constructed: "), "{said:?}");
    assert!(!trace.exists(), "its constructor reached a file");
}

#[test]
fn a_page_is_of_plugins_alone() {
    for arguments in [&["plugins", "list"][..], &["executions", "list"], &["incidents", "list"]] {
        let said = nothing().run(&[arguments, &["--output", "markdown"]].concat());
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.errors.contains("for plugins inspect alone"), "{said:?}");
    }
}
