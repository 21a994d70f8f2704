//! Today's plugins in the host of an earlier release, which `PLAYDOCK_PROGRAM` names: what that host
//! doesn't know, it says. `tests/releases/run` runs these.

use playdock_tests::{Playdock, SITE_AND_USER, incident};
use serde_json::json;

#[test]
#[ignore = "needs the program of an earlier release"]
fn a_change_that_the_host_does_not_know_is_refused_in_words_and_nothing_is_changed() {
    let playdock = Playdock::with_plugins(&["assigning"]);
    playdock.import(&format!("{SITE_AND_USER}{}", incident("INC-1", json!({"owner": "omar"}))));
    let asked =
        json!({"Incident Numbers": "INC-1", "Owner": "admin user", "Username": "admin user"});
    let refused = playdock.invoke("AssignOnce", &asked, &["--execution-id", "assigning"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let answer = refused.answer();
    let error = answer["error"].as_str().expect("it is text");
    assert_eq!(
        error,
        "this host doesn't know the member \"outcomes.change.assign\", which the command needs: use a \
         newer host"
    );
    assert_eq!(answer["contextData"], json!([]));
    assert_eq!(playdock.rows("SELECT owner || version FROM incident"), ["omar1"]);
    assert_eq!(playdock.rows("SELECT action FROM audit"), [""; 0]);
}
