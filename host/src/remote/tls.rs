//! TLS: the server's certificate and its key.

use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig, crypto};

/// The files, in PEM, that the server shows itself with.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, and those between it and the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why the files can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{path} can't be used for TLS: {cause}")]
pub struct TlsError {
    path: PathBuf,
    cause: String,
}

impl TlsFiles {
    /// Reads the files.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let unusable = |path: &PathBuf, cause: String| TlsError { path: path.clone(), cause };
        let certificates = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unusable(&self.certificate, error.to_string()))?;
        if certificates.is_empty() {
            return Err(unusable(&self.certificate, "it holds no certificate in PEM".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| unusable(&self.key, error.to_string()))?;
        let provider = Arc::new(crypto::ring::default_provider());
        let configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key));
        let mut configuration = configuration.map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                unusable(&self.key, format!("it is not the key of {}", self.certificate.display()))
            }
            other => unusable(&self.certificate, other.to_string()),
        })?;
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(configuration)))
    }
}
