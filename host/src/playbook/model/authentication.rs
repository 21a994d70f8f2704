//! How an agent proves to a target who it is (CACAO 2.0, section 6).
//!
//! The vocabulary of types is open, so one type holds the members of all the standard's types and
//! whatever a vendor adds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extensions;

/// One definition of authentication information.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct AuthenticationInfo {
    /// Which kind: `http-basic`, `oauth2`, `user-auth`, …
    #[serde(rename = "type")]
    pub authentication_type: String,
    /// For people to read.
    pub name: Option<String>,
    /// For people to read.
    pub description: Option<String>,
    /// What extensions add to it.
    #[serde(default)]
    pub authentication_info_extensions: Extensions,
    /// Of `http-basic`: who.
    pub user_id: Option<String>,
    /// Of `user-auth`: who.
    pub username: Option<String>,
    /// The password, or its name in the key management.
    pub password: Option<String>,
    /// Of `oauth2`: the header.
    pub oauth_header: Option<String>,
    /// Of `oauth2`: the token.
    pub token: Option<String>,
    /// The secret is kept in a key management.
    #[serde(default)]
    pub kms: bool,
    /// Its name there.
    pub kms_key_identifier: Option<String>,
    /// The members of a vendor's own type.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
