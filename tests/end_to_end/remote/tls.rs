//! TLS, by a certificate of the server's own.

use super::closing_store;
use std::io::{Read, Write};
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

#[test]
fn with_a_certificate_it_speaks_tls_alone() {
    let playdock = closing_store(&[]);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let made = made.expect("a certificate can be made");
    playdock.file("cert.pem", made.cert.pem());
    playdock.file("key.pem", made.signing_key.serialize_pem());
    let served = playdock.serve(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);

    let plain = served.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(!plain.contains("200"), "{plain}");

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert.der().to_vec())).expect("it is a certificate");
    let configuration =
        ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("there are versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("it is a name");
    let connection = ClientConnection::new(Arc::new(configuration), name);
    let mut stream = StreamOwned::new(connection.expect("a client"), served.connect());
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("it can be sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it can be read");
    assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("ok"), "{said}");
}

#[test]
fn files_that_are_no_certificate_and_key_are_refused() {
    let playdock = closing_store(&[]);
    playdock.file("cert.pem", "nothing");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    playdock.file("key.pem", made.expect("a certificate can be made").signing_key.serialize_pem());
    for (certificate, key, words) in [
        ("cert.pem", "key.pem", "cert.pem can't be used for TLS"),
        ("missing.pem", "key.pem", "missing.pem can't be used for TLS"),
    ] {
        let refused = playdock.run(&["serve", "--tls-cert", certificate, "--tls-key", key]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.errors.contains(words), "{refused:?}");
    }
    let refused = playdock.run(&["serve", "--tls-cert", "cert.pem"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
}
