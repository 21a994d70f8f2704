//! Digital signatures of a playbook (CACAO 2.0, section 10.15). They are read, not verified.

use serde::{Deserialize, Serialize};

use super::{Identifier, Timestamp};

/// One signature.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Signature {
    /// Always `jss`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// The signature's id.
    pub id: Identifier,
    /// Who made it, a STIX identity.
    pub created_by: Option<Identifier>,
    /// When its first version was made.
    pub created: Timestamp,
    /// When this version was made.
    pub modified: Timestamp,
    /// No longer valid.
    #[serde(default)]
    pub revoked: bool,
    /// Who signed.
    pub signee: String,
    /// Doesn't hold before.
    pub valid_from: Option<Timestamp>,
    /// Doesn't hold after.
    pub valid_until: Option<Timestamp>,
    /// The id of the playbook that is signed.
    pub related_to: Identifier,
    /// The `modified` of the playbook that is signed.
    pub related_version: Timestamp,
    /// What the playbook is hashed with.
    pub hash_algorithm: String,
    /// What the hash is signed with.
    pub algorithm: String,
    /// The key, if it is given itself.
    pub public_key: Option<String>,
    /// The certificates, if they are given themselves.
    #[serde(default)]
    pub public_cert_chain: Vec<String>,
    /// Where the certificates are.
    pub cert_url: Option<String>,
    /// A fingerprint of the certificate.
    pub thumbprint: Option<String>,
    /// The signature in base64url.
    pub value: String,
    /// A signature of this signature.
    pub signature: Option<Box<Signature>>,
}
