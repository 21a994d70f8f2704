//! Paths that could be read in two ways, in bytes that no client's library would send.

use super::super::{CLOSE, closing_store};
use super::{executions, others_are_served, statuses};

#[test]
fn tricks_in_paths_lead_nowhere() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let long = format!("/{}", "a/".repeat(10_000));
    let deep = format!("{}{CLOSE}", "/..".repeat(5_000));
    let tricks: [&[u8]; 22] = [
        b"/..",
        b"/../api/Command/CloseIncidentInBulk",
        b"/api/%2e%2e/api/Command/CloseIncidentInBulk",
        b"/api/%2E%2E/Command/CloseIncidentInBulk",
        b"/api/.%2e/Command/CloseIncidentInBulk",
        b"/api/Command/%252e%252e/CloseIncidentInBulk",
        b"/api/Command/..%5cCloseIncidentInBulk",
        b"/api/Command/..\\CloseIncidentInBulk",
        b"/api/Command/CloseIncidentInBulk%00",
        b"/api/Command/CloseIncidentInBulk\0",
        b"/api/Command/CloseIncidentInBulk%0d%0aX:%20y",
        b"/api/Command/CloseIncidentInBulk;a=b",
        b"/api;/Command/CloseIncidentInBulk",
        b"/api/Command/\xc0\xae\xc0\xae/CloseIncidentInBulk",
        b"/api/Command/%c0%ae%c0%ae/CloseIncidentInBulk",
        b"/api/Command/Close\xffIncidentInBulk",
        b"/api/Command/CloseIncidentInBul\xe2\x84\xaa",
        b"http://x/../api/Command/CloseIncidentInBulk",
        b"http://x//api/Command/CloseIncidentInBulk",
        b"api/Command/CloseIncidentInBulk",
        long.as_bytes(),
        deep.as_bytes(),
    ];
    for trick in tricks {
        let after = format!(
            " HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        let said = served.send(&[b"POST ", trick, after.as_bytes()].concat());
        let shown = String::from_utf8_lossy(&trick[..trick.len().min(80)]);
        assert!(matches!(statuses(&said)[..], ["400" | "404"]), "{shown}: {said}");
        assert!(!said.contains("X: y") && said.len() < 500, "{shown}: {said}");
    }
    assert_eq!(executions(&playdock), 0);
    others_are_served(&served, &key);
}
