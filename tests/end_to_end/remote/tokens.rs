//! `d3jwt`: tokens that are signed with the secret of a key.

use super::{CLOSE, closing, closing_store, outcome};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use playdock_tests::Served;
use ring::hmac;

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn token(algorithm: hmac::Algorithm, header: &str, claims: &str, secret: &str) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    format!("{signed}.{}", encode(hmac::sign(&key, signed.as_bytes()).as_ref()))
}

fn status(served: &Served, header: &str, value: &str) -> u16 {
    served.get("/api/Commands", &[(header, value)]).status
}

#[test]
fn a_token_with_an_empty_payload_is_as_good_as_a_key() {
    let playdock = closing_store(&["1"]);
    let secret = playdock.key("d3", &["--jwt", "server.key"]);
    // A name that is misspelt makes another one, so that is said.
    let made = playdock.run(&["keys", "create", "other", "--jwt", "serve.key"]);
    assert!(made.errors.contains("made the server key serve.key"), "{made:?}");
    let served = playdock.serve(&["--jwt", "server.key", "--rate", "0"]);
    let good = token(hmac::HMAC_SHA256, HS256, "{}", &secret);
    let response =
        served.post("/api/command/CloseIncidentInBulk", &[("d3jwt", &good)], &closing(&["1"]));
    assert_eq!(outcome(&response).0, "Successful");
    assert_eq!(
        playdock.rows("SELECT name FROM execution JOIN api_key ON api_key.id = api_key"),
        ["d3"]
    );
    // The secret signs, and is no key itself.
    assert_eq!(status(&served, "d3key", &secret), 401);

    let sha512 = hmac::HMAC_SHA512;
    let sha256 = hmac::HMAC_SHA256;
    for (why, bad) in [
        ("no signature", good.rsplit_once('.').map(|(head, _)| format!("{head}.")).unwrap()),
        ("another secret", token(sha256, HS256, "{}", "pdj_000000000000_x")),
        ("no secret", token(sha256, HS256, "{}", "")),
        ("no algorithm", token(sha256, r#"{"alg":"none"}"#, "{}", &secret)),
        ("another one", token(sha512, r#"{"alg":"HS512"}"#, "{}", &secret)),
        ("another one than it says", token(sha512, HS256, "{}", &secret)),
        ("expired", token(sha256, HS256, r#"{"exp":1600000000}"#, &secret)),
        ("not yet", token(sha256, HS256, r#"{"nbf":9600000000}"#, &secret)),
        ("claims", token(sha256, HS256, r#"{"sub":"Admin"}"#, &secret)),
    ] {
        assert_eq!(status(&served, "d3jwt", &bad), 401, "{why}");
    }
    let later = token(sha256, HS256, r#"{"exp":9600000000,"iat":1600000000}"#, &secret);
    assert_eq!(status(&served, "d3jwt", &later), 200);
    // A good token is good again until its key is revoked.
    assert_eq!(status(&served, "d3jwt", &good), 200);
    assert_eq!(playdock.run(&["keys", "revoke", "d3"]).code, Some(0));
    let ask = || served.get("/api/Commands", &[("d3jwt", &good)]);
    super::ask_until(ask, |response| response.status == 401);
}

#[test]
fn tokens_are_refused_unless_they_are_asked_for() {
    let playdock = closing_store(&[]);
    let secret = playdock.key("d3", &["--jwt", "server.key"]);
    let good = token(hmac::HMAC_SHA256, HS256, "{}", &secret);
    let served = playdock.serve(&[]);
    let refused = served.post(CLOSE, &[("d3jwt", &good)], "{}");
    assert_eq!(refused.said(), (401, r#"{"Error":"Invalid authentication key."}"#));
    // Nor does another server key open what was sealed under this one.
    playdock.key("other", &["--jwt", "other.key"]);
    let served = playdock.serve(&["--jwt", "other.key"]);
    assert_eq!(status(&served, "d3jwt", &good), 401);
}

#[cfg(unix)]
#[test]
fn a_server_key_that_is_none_or_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let playdock = closing_store(&[]);
    let finished = playdock.run(&["serve", "--jwt", "missing.key"]);
    assert_eq!(finished.code, Some(2));
    assert!(finished.errors.contains("the server key missing.key can't be used"), "{finished:?}");
    let secret = playdock.key("d3", &["--jwt", "server.key"]);
    let path = playdock.folder().join("server.key");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!playdock.dump().join("\n").contains(&secret));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("it can be shown");
    let finished = playdock.run(&["serve", "--jwt", "server.key"]);
    assert_eq!(finished.code, Some(2));
    assert!(finished.errors.contains("can be read by others"), "{finished:?}");
}
