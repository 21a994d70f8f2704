//! The declaration of a variable (CACAO 2.0, section 10.18).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A variable as a playbook or a step declares it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Variable {
    /// What kind of value it holds.
    #[serde(rename = "type")]
    pub variable_type: VariableType,
    /// For people to read.
    pub description: Option<String>,
    /// Text, or for a dictionary an object; null and absent mean that the value is unknown.
    pub value: Option<Value>,
    /// Never changes.
    #[serde(default)]
    pub constant: bool,
    /// The caller gives the value.
    #[serde(default)]
    pub external: bool,
}

/// The type of a variable. The vocabulary is open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VariableType {
    /// `true` or `false`.
    Bool,
    /// The JSON text of an object; here of a list too.
    Dictionary,
    /// A number.
    Float,
    /// Bytes in hexadecimal digits.
    Hexstring,
    /// A whole number.
    Integer,
    /// An IPv4 address or network.
    Ipv4Addr,
    /// An IPv6 address or network.
    Ipv6Addr,
    /// A whole number.
    Long,
    /// The address of a network card.
    MacAddr,
    /// A hash of any kind in hexadecimal digits.
    Hash,
    /// An MD5 hash.
    Md5Hash,
    /// A SHA-256 hash.
    Sha256Hash,
    /// Text.
    String,
    /// A URI.
    Uri,
    /// A UUID.
    Uuid,
    /// A type that isn't in the standard's vocabulary.
    #[serde(untagged)]
    Other(String),
}

impl VariableType {
    /// The standard's vocabulary.
    pub const STANDARD: [Self; 15] = [
        Self::Bool,
        Self::Dictionary,
        Self::Float,
        Self::Hash,
        Self::Hexstring,
        Self::Integer,
        Self::Ipv4Addr,
        Self::Ipv6Addr,
        Self::Long,
        Self::MacAddr,
        Self::Md5Hash,
        Self::Sha256Hash,
        Self::String,
        Self::Uri,
        Self::Uuid,
    ];
}

impl fmt::Display for VariableType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bool => "bool",
            Self::Dictionary => "dictionary",
            Self::Float => "float",
            Self::Hexstring => "hexstring",
            Self::Integer => "integer",
            Self::Ipv4Addr => "ipv4-addr",
            Self::Ipv6Addr => "ipv6-addr",
            Self::Long => "long",
            Self::MacAddr => "mac-addr",
            Self::Hash => "hash",
            Self::Md5Hash => "md5-hash",
            Self::Sha256Hash => "sha256-hash",
            Self::String => "string",
            Self::Uri => "uri",
            Self::Uuid => "uuid",
            Self::Other(name) => name,
        })
    }
}
