//! Connecting to a database with TLS: which servers are trusted, as `sslmode` says it, and the
//! sentence where one is not.

use playdock_tests::{PASSWORD, Playdock, PostgresServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Somebody of this name who makes certificates.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key can be made");
    CertifiedIssuer::self_signed(parameters, key).expect("a certificate can be made")
}

/// Connects to a store at a URL; what was said if it was refused.
fn connect(playdock: &Playdock, url: &str) -> Result<(), String> {
    let finished = playdock.run(&["incidents", "list", "--db", url]);
    assert!(!format!("{finished:?}").contains(PASSWORD), "{finished:?}");
    match finished.code {
        Some(0) => Ok(()),
        code => {
            assert_eq!((code, finished.errors.lines().count()), (Some(5), 1), "{finished:?}");
            Err(finished.errors)
        }
    }
}

#[test]
fn a_server_is_trusted_by_its_certificate_as_sslmode_says() {
    let ours = authority("ours");
    let playdock = Playdock::new();
    playdock.file("ours.pem", ours.pem());
    playdock.file("other.pem", authority("other").pem());
    playdock.file("of-same-name.pem", authority("ours").pem());
    let key = KeyPair::generate().expect("a key can be made");
    let parameters = CertificateParams::new(["localhost".to_owned()]).expect("it is a name");
    let certificate = parameters.signed_by(&key, &ours).expect("it can be signed");
    let server = PostgresServer::start_with_tls(&certificate.pem(), &key.serialize_pem());
    let database = server.database();
    let by_address = database.tcp_url(Some(PASSWORD));
    let by_name = by_address.replace("127.0.0.1", "localhost");
    let encrypted = || server.log().matches("SSL enabled").count();

    for (place, mode) in [
        (&by_name, "sslmode=verify-full&sslrootcert=ours.pem"),
        (&by_name, "sslmode=verify-ca&sslrootcert=ours.pem"),
        (&by_address, "sslmode=verify-ca&sslrootcert=ours.pem"),
        (&by_address, "sslmode=require&sslrootcert=ours.pem"),
        (&by_address, "sslmode=require"),
        (&by_address, "sslmode=prefer"),
    ] {
        let before = encrypted();
        assert_eq!(connect(&playdock, &format!("{place}?{mode}")), Ok(()), "{mode}");
        assert!(encrypted() > before, "{mode}: {}", server.log());
    }
    let before = encrypted();
    assert_eq!(connect(&playdock, &format!("{by_name}?sslmode=disable")), Ok(()));
    assert_eq!(encrypted(), before);

    let issuer = "its certificate was made by nobody who is trusted here";
    for (place, mode, why) in [
        (&by_name, "sslmode=verify-full&sslrootcert=other.pem", issuer),
        (&by_name, "sslmode=verify-full&sslrootcert=of-same-name.pem", issuer),
        (&by_name, "sslmode=verify-ca&sslrootcert=other.pem", issuer),
        (&by_name, "sslmode=require&sslrootcert=other.pem", issuer),
        (
            &by_address,
            "sslmode=verify-full&sslrootcert=ours.pem",
            "its certificate is for another host name",
        ),
        (&by_name, "sslmode=verify-full&sslrootcert=none.pem", "none.pem can't be used"),
    ] {
        let said = connect(&playdock, &format!("{place}?{mode}")).expect_err(mode);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let playdock = Playdock::new();
    playdock.file("ours.pem", authority("ours").pem());
    let database = PostgresServer::shared().database();
    let place = database.tcp_url(Some(PASSWORD));
    for mode in ["sslmode=require", "sslmode=verify-full&sslrootcert=ours.pem"] {
        let said = connect(&playdock, &format!("{place}?{mode}")).expect_err(mode);
        assert!(said.contains("its server doesn't offer TLS"), "{said}");
    }
    assert_eq!(connect(&playdock, &format!("{place}?sslmode=prefer")), Ok(()));
}
