//! The library that cargo built, opened and called as a host does it.

use playdock_plugin_api::ExampleIncident;
use playdock_plugin_api::testing::{InMemoryIncidents, LibraryPlugin};
use serde_json::json;

#[test]
fn the_library_runs_the_command() {
    let library = LibraryPlugin::open(env!("CARGO_PKG_NAME"), "TemplateCommand").unwrap();
    let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")]);
    let parameters = json!({ "Incident Numbers": ["INC-1", "INC-2"] });
    let finished = library.invoke(&parameters, &mut incidents).unwrap();
    assert_eq!(finished.error, "1 of 2 incidents does not exist");
    assert_eq!(incidents.outcomes().len(), 2);
}
