//! The signature beside a library: finding it, and holding it against the keys in lock files.
//!
//! Signatures are minisign's, in its default format, where the digest of the file is signed. The
//! legacy format is refused: nothing here needs to believe what old programs wrote.

use super::NamedLock;
use super::keys::{KeyId, algorithm_and_id, revoked_by};
use super::lock::LockFile;
use crate::plugins::opening::{OpeningError, open_verified};
use minisign_verify::Signature;
use std::path::{Path, PathBuf};

/// Well above what minisign's comments may take.
const LARGEST: u64 = 16 << 10;
/// How minisign marks a signature of the file itself, in place of its digest.
const LEGACY: &[u8; 2] = b"Ed";

/// Why a signature doesn't count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says what its members are")]
pub enum SignatureError {
    /// There is none.
    #[error(
        "the policy is signed, and there is no signature {place}; get it from whoever built the plugin"
    )]
    Missing { place: PathBuf },
    /// It can't be read, or others could change it.
    #[error("its signature {place} can't be used: {cause}")]
    NotOpened { place: PathBuf, cause: OpeningError },
    /// It is no signature.
    #[error(
        "its signature {place} is damaged or not minisign's; get it again from whoever built the plugin"
    )]
    Damaged { place: PathBuf },
    /// It is of a format that isn't taken.
    #[error(
        "its signature {place} has minisign's legacy format, which isn't taken; have it signed again with: minisign -SHm FILE"
    )]
    Legacy { place: PathBuf },
    /// Nobody trusts the key.
    #[error(
        "it is signed by the key {key}, which is in no lock file; if you trust whoever has that key, run: playdock plugins keys add KEY.pub{lock}"
    )]
    UnknownKey { key: KeyId, lock: NamedLock },
    /// Somebody trusts the key no longer.
    #[error(
        "it is signed by the key {key}, which {lock} revokes; get a build that is signed by another key"
    )]
    KeyRevoked { key: KeyId, lock: PathBuf },
    /// The signature is of other bytes.
    #[error(
        "it is not what the key {key} signed in {place}: one of the two was changed or belongs to another build; get both again from whoever built the plugin"
    )]
    Bad { key: KeyId, place: PathBuf },
}

/// Where the signature of a library lies, if it has one: where minisign puts it.
pub(crate) fn signature_of(library: &Path) -> PathBuf {
    let mut place = library.as_os_str().to_owned();
    place.push(".minisig");
    PathBuf::from(place)
}

/// Finds the trusted key that signed a library of these bytes.
pub(super) fn check(
    library: &Path,
    bytes: &[u8],
    locks: &[LockFile],
    named_lock: &NamedLock,
) -> Result<KeyId, SignatureError> {
    let place = signature_of(library);
    let content = match open_verified(&place).and_then(|it| it.read_at_most(LARGEST)) {
        Ok(content) => content,
        Err(OpeningError::NotThere) => return Err(SignatureError::Missing { place }),
        Err(cause) => return Err(SignatureError::NotOpened { place, cause }),
    };
    let Some((algorithm, key, signature)) = parse(&content) else {
        return Err(SignatureError::Damaged { place });
    };
    if &algorithm == LEGACY {
        return Err(SignatureError::Legacy { place });
    }
    if let Some(lock) = revoked_by(locks, key) {
        return Err(SignatureError::KeyRevoked { key, lock: lock.to_owned() });
    }
    let keys = || locks.iter().flat_map(LockFile::keys).filter(|it| it.id() == key);
    let mut known = keys().filter_map(|it| it.to_verify()).peekable();
    if known.peek().is_none() {
        return Err(SignatureError::UnknownKey { key, lock: named_lock.clone() });
    }
    match known.any(|it| it.verify(bytes, &signature, false).is_ok()) {
        true => Ok(key),
        false => Err(SignatureError::Bad { key, place }),
    }
}

fn parse(content: &[u8]) -> Option<([u8; 2], KeyId, Signature)> {
    let text = std::str::from_utf8(content).ok()?;
    let (algorithm, key) = algorithm_and_id(text.lines().nth(1)?)?;
    Some((algorithm, key, Signature::decode(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by minisign 0.11 (`minisign -Sm`, and with `-l`) over the line "hello".
    const KEY: &str = "RWSeCEkO75GfzqLTsXOcPmTzojgCNVQ0xjlidwFKSz1rzVtj2FJ2KX5x";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUSeCEkO75GfztwAm9VLcTBbQxK2b6Bbwd8wzoCXZkGrA6ldF08n7Bp6Uxy7M//S21O4jRBYP/5HTn70U+L9MsI/wKnnH8Bh4wo=
trusted comment: timestamp:1795411722\tfile:f\thashed
c7kXmjZUXPNjrlZRKZx4c7fgoqPV++YMnblGQx5FDHRn5YZ/IXpArT0VK8fAirYzpZ8ua20/5iDSSEKQqV8rCw==
";
    const OF_LEGACY_FORMAT: &str = "untrusted comment: signature from minisign secret key
RWSeCEkO75Gfzj35Fw1QNU3aaWBIpMVR7V1NReXM3xldSZbNmDCQ1cCv0NBTJwyAeaE8x3Qx41aYseoJj0D9leNjO72QKLD0ags=
trusted comment: timestamp:1795411722\tfile:f
vzqBEZ20P7Ave/u8Shtem0TwZ0/KWMHMpOl772spXWqg8zK0uasZgDYcIQH10cTAR68JVxJZnoF9nYdfqvivCQ==
";

    fn checked(signature: &str, bytes: &[u8]) -> Result<String, SignatureError> {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("f");
        std::fs::write(folder.path().join("f.minisig"), signature).unwrap();
        let content = format!("[[key]]\nid='CE9F91EF0E49089E'\npublic_key='{KEY}'\n");
        let lock = folder.path().join("plugins.lock");
        std::fs::write(&lock, content).unwrap();
        let locks = [LockFile::read(&lock).unwrap()];
        check(&library, bytes, &locks, &NamedLock::default()).map(|key| key.to_string())
    }

    #[test]
    fn what_minisign_signs_is_verified() {
        assert_eq!(checked(SIGNATURE, b"hello\n"), Ok("CE9F91EF0E49089E".to_owned()));
        let changed = checked(SIGNATURE, b"hellO\n");
        assert!(matches!(changed, Err(SignatureError::Bad { .. })), "{changed:?}");
        // The comment is signed too.
        let changed = checked(&SIGNATURE.replace("file:f", "file:g"), b"hello\n");
        assert!(matches!(changed, Err(SignatureError::Bad { .. })), "{changed:?}");
        let legacy = checked(OF_LEGACY_FORMAT, b"hello\n");
        assert!(matches!(legacy, Err(SignatureError::Legacy { .. })), "{legacy:?}");
    }

    #[test]
    fn a_signature_that_was_cut_anywhere_is_damaged() {
        // All but the end of its last line is needed.
        for length in 0..SIGNATURE.len() - 1 {
            let cut = checked(&SIGNATURE[..length], b"hello\n");
            assert!(matches!(cut, Err(SignatureError::Damaged { .. })), "{length}: {cut:?}");
        }
        let large = checked(&format!("{SIGNATURE}{}", " ".repeat(20_000)), b"hello\n");
        assert!(matches!(large, Err(SignatureError::NotOpened { .. })), "{large:?}");
    }
}
