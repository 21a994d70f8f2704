//! The secrets of clients, as they are made and recognised, and the server's own key, under which
//! those that have to be read again are stored.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const SENT: &str = "pdk";
const SIGNING: &str = "pdj";
const SECRET_BYTES: usize = 32;
const PUBLIC_ID_BYTES: usize = 6;

/// A new secret of a client: a text that tells its kind and its public id and holds 256 random
/// bits.
pub struct ClientSecret {
    public_id: String,
    text: String,
}

/// Randomness that the system doesn't give; it always does.
fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], ServerKeyError> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).map_err(|_| ServerKeyError::NoRandomness)?;
    Ok(bytes)
}

impl ClientSecret {
    /// A new secret, sent with each request or (`signing`) used to sign tokens.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn new(signing: bool) -> Result<ClientSecret, ServerKeyError> {
        let public_id = crate::plugins::hexadecimal(&random::<PUBLIC_ID_BYTES>()?);
        let secret = BASE64_URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?);
        let kind = if signing { SIGNING } else { SENT };
        Ok(ClientSecret { text: format!("{kind}_{public_id}_{secret}"), public_id })
    }

    /// What the client is given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The part of it by which it is found.
    pub fn public_id(&self) -> &str {
        &self.public_id
    }

    /// What is stored of a secret that is sent.
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.text)
    }
}

/// The digest of a secret as a client sent it.
pub(super) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The public id in a secret as a client sent it.
pub(super) fn public_id(text: &str) -> Option<&str> {
    let mut parts = text.splitn(3, '_');
    (parts.next() == Some(SENT)).then(|| parts.next()).flatten()
}

/// Why the server's key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerKeyError {
    /// The file can't be read or made.
    #[error("the server key {path} can't be used: {cause}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} is not a server key: it holds 32 random bytes in Base64; keys create --jwt makes one"
    )]
    NotAKey(PathBuf),
    /// Others may read the file.
    #[error("the server key {0} can be read by others: take their rights away, with chmod 600")]
    Exposed(PathBuf),
    /// The system has no random numbers.
    #[error("the system gave no random numbers")]
    NoRandomness,
}

/// The key under which the secrets of clients are stored that have to be read again.
pub struct ServerKey {
    key: LessSafeKey,
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerKey")
    }
}

impl ServerKey {
    /// Reads the key of a file.
    ///
    /// # Errors
    ///
    /// [`ServerKeyError`]
    pub fn read(path: &Path) -> Result<ServerKey, ServerKeyError> {
        let unusable = |cause| ServerKeyError::Unusable { path: path.to_owned(), cause };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).map_err(unusable)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(ServerKeyError::Exposed(path.to_owned()));
            }
        }
        let text = std::fs::read(path).map_err(unusable)?;
        let bytes = BASE64_STANDARD.decode(text.trim_ascii()).unwrap_or_default();
        UnboundKey::new(&CHACHA20_POLY1305, &bytes)
            .map(|key| ServerKey { key: LessSafeKey::new(key) })
            .map_err(|_| ServerKeyError::NotAKey(path.to_owned()))
    }

    /// Reads the key of a file, which is made where there is none.
    ///
    /// # Errors
    ///
    /// [`ServerKeyError`]
    pub fn read_or_make(path: &Path) -> Result<ServerKey, ServerKeyError> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            opened => {
                let line = format!("{}\n", BASE64_STANDARD.encode(random::<SECRET_BYTES>()?));
                opened
                    .and_then(|mut file| file.write_all(line.as_bytes()).and(file.sync_all()))
                    .map_err(|cause| ServerKeyError::Unusable { path: path.to_owned(), cause })?;
            }
        }
        ServerKey::read(path)
    }

    /// Seals a secret for the store. It can be opened as this key's alone.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn seal(&self, secret: &ClientSecret) -> Result<Vec<u8>, ServerKeyError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = secret.text.clone().into_bytes();
        let aad = Aad::from(secret.public_id.as_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| ServerKeyError::NoRandomness)?;
        sealed.splice(..0, nonce);
        Ok(sealed)
    }

    /// Opens what was sealed for the key of this public id.
    pub(super) fn open(&self, public_id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = sealed.to_vec();
        let aad = Aad::from(public_id.as_bytes());
        let opened = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut bytes);
        opened.ok().map(|secret| secret.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_new_each_time_and_names_its_key() {
        let (one, other) = (ClientSecret::new(false).unwrap(), ClientSecret::new(false).unwrap());
        assert_ne!(one.text(), other.text());
        assert_eq!(public_id(one.text()), Some(one.public_id()));
        assert_eq!(one.text().len(), "pdk_".len() + 12 + 1 + 43);
        assert_eq!(public_id(ClientSecret::new(true).unwrap().text()), None);
        assert_eq!(public_id("pdk"), None);
    }

    #[test]
    fn what_is_sealed_is_opened_as_the_same_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let server = ServerKey::read_or_make(&folder.path().join("a.key")).unwrap();
        let secret = ClientSecret::new(true).unwrap();
        let mut sealed = server.seal(&secret).unwrap();
        let opened = server.open(secret.public_id(), &sealed);
        assert_eq!(opened.as_deref(), Some(secret.text().as_bytes()));
        assert_eq!(server.open("another", &sealed), None);
        let other = ServerKey::read_or_make(&folder.path().join("b.key")).unwrap();
        assert_eq!(other.open(secret.public_id(), &sealed), None);
        sealed[20] ^= 1;
        assert_eq!(server.open(secret.public_id(), &sealed), None);
        assert_eq!(server.open(secret.public_id(), b""), None);
    }

    #[test]
    fn a_server_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        assert!(matches!(ServerKey::read(&path), Err(ServerKeyError::Unusable { .. })));
        let secret = ClientSecret::new(true).unwrap();
        let sealed = ServerKey::read_or_make(&path).unwrap().seal(&secret).unwrap();
        let again = ServerKey::read_or_make(&path).unwrap();
        assert!(again.open(secret.public_id(), &sealed).is_some());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
            assert!(matches!(ServerKey::read(&path), Err(ServerKeyError::Exposed(_))));
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        }
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(ServerKey::read(&path), Err(ServerKeyError::NotAKey(_))));
    }
}
