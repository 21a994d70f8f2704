//! Keys and signatures as minisign makes them.

use minisign::{KeyPair, PublicKeyBox};
use std::path::{Path, PathBuf};

/// A key that signs plugins.
pub(super) struct Signer(KeyPair);

impl Signer {
    pub(super) fn new() -> Signer {
        Signer(KeyPair::generate_unencrypted_keypair().expect("a key can be made"))
    }

    /// The id of the key.
    pub(super) fn id(&self) -> String {
        let id: [u8; 8] = self.0.pk.keynum().try_into().expect("an id has 8 bytes");
        format!("{:016X}", u64::from_le_bytes(id))
    }

    /// The public key, without its comment.
    pub(super) fn key(&self) -> String {
        self.0.pk.to_base64()
    }

    /// The text of the file of the public key.
    pub(super) fn file(&self) -> String {
        let file: PublicKeyBox = self.0.pk.to_box().expect("a key can be written");
        file.into_string()
    }

    /// Writes the signature of a file beside it.
    pub(super) fn sign(&self, file: &Path) {
        let bytes = std::fs::read(file).expect("it can be read");
        let signed = minisign::sign(None, &self.0.sk, &*bytes, None, None);
        let signed = signed.expect("it can be signed");
        std::fs::write(signature_of(file), signed.into_string()).expect("it can be written");
    }
}

/// Where the signature of a file lies.
pub(super) fn signature_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".minisig");
    PathBuf::from(path)
}
