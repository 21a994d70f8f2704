//! The contract's request gives the contract's response.

use playdock_tests::Playdock;
use serde_json::json;

const RESPONSE: &str = r#"{"result":"<table class='cc-table'> <tr> <th>Incident Number</th> <th>Status</th> <th>Close Date</th> <th>Closed By</th> <th>Result</th> </tr> <tr> <td>20210127-198</td> <td>Closed</td> <td>Jan 27, 2021 06:08 AM PST</td> <td>admin user</td> <td>Successful</td> </tr> <tr> <td>20210127-197</td> <td>Closed</td> <td>Jan 27, 2021 06:08 AM PST</td> <td>admin user</td> <td>Successful</td> </tr> </table>","error":"","returnData":"Successful","contextData":[{"Incident Number":"20210127-198","Status":"Closed","Close Date":"01/27/2021 06:08 AM PST","Result":"Successful","Closed By":"admin user"},{"Incident Number":"20210127-197","Status":"Closed","Close Date":"01/27/2021 06:08 AM PST","Result":"Successful","Closed By":"admin user"}]}"#;

const STORE: &str = r#"{"kind":"site","name":"Security Operations","time_zone":"America/Los_Angeles"}
{"kind":"user","username":"admin user","sites":["Security Operations"]}
{"kind":"incident","number":"20210127-198","site":"Security Operations"}
{"kind":"incident","number":"20210127-197","site":"Security Operations"}
"#;

#[test]
fn by_invoke() {
    let playdock = Playdock::new();
    playdock.import(STORE);
    let parameters = json!({
        "Incident Numbers": ["20210127-198", "20210127-197"],
        "Bypass Required Pending Tasks": "Yes",
        "Bypass All Required Fields": "Yes",
        "Username": "admin user",
        "Conclusion": "The incident was closed in bulk."
    });
    let finished = playdock.close(&parameters, &["--clock", "2021-01-27T14:08:00Z"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.output.trim_end(), RESPONSE);
}
