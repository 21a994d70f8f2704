//! Who a library is, readable in its file without running any of its code.
//!
//! [`export_plugin!`](crate::export_plugin) writes the identity as JSON into a link section of its
//! own; the host reads it before it opens the library, whose constructors would run at that
//! moment. What needs code to be known (parameters, columns, examples) comes from
//! [`Describe`](crate::messages::Request::Describe) later.

use serde::{Deserialize, Serialize};

/// The link section that holds the identity. PE files keep 8 characters of such a name.
pub const SECTION: &str = "playdock";

/// What a library says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The version of the [boundary](crate::boundary) that it was built against.
    pub boundary: u32,
    /// The name of its crate.
    pub name: String,
    /// The version of its crate.
    pub version: String,
    /// The names of its commands.
    pub commands: Vec<String>,
}

impl Identity {
    /// Whether one of its commands has this name.
    pub fn has_command(&self, name: &str) -> bool {
        self.commands.iter().any(|command| command == name)
    }

    /// Reads the content of the link section; a linker may have padded it with zeros.
    ///
    /// # Errors
    ///
    /// The content is no identity.
    pub fn parse(section: &[u8]) -> Result<Identity, serde_json::Error> {
        let end = section.iter().position(|byte| *byte == 0).unwrap_or(section.len());
        serde_json::from_slice(&section[..end])
    }
}

/// Writes an identity as JSON while the library is compiled, which is why it is done by hand.
struct ConstWriter<const LENGTH: usize> {
    bytes: [u8; LENGTH],
    length: usize,
}

impl<const LENGTH: usize> ConstWriter<LENGTH> {
    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() {
            if self.length < LENGTH {
                self.bytes[self.length] = text[index];
            }
            self.length += 1;
            index += 1;
        }
        self
    }

    const fn identity(self, name: &str, version: &str, commands: &[&str]) -> Self {
        const { assert!(crate::boundary::BOUNDARY_VERSION == 1) };
        let mut writer = self
            .text("{\"boundary\":1,\"name\":\"")
            .text(plain(name))
            .text("\",\"version\":\"")
            .text(plain(version))
            .text("\",\"commands\":[");
        let mut index = 0;
        while index < commands.len() {
            writer = writer
                .text(if index == 0 { "\"" } else { ",\"" })
                .text(plain(commands[index]))
                .text("\"");
            index += 1;
        }
        writer.text("]}")
    }
}

/// Refuses, at compile time, what would have to be escaped.
const fn plain(text: &str) -> &str {
    let bytes = text.as_bytes();
    assert!(!bytes.is_empty(), "a name is empty");
    let mut index = 0;
    while index < bytes.len() {
        assert!(
            matches!(bytes[index], b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'+'),
            "names and versions are of ASCII letters, digits, `-`, `_`, `.` and `+`"
        );
        index += 1;
    }
    text
}

/// How many bytes [`identity_bytes`] needs.
#[doc(hidden)]
pub const fn identity_length(name: &str, version: &str, commands: &[&str]) -> usize {
    ConstWriter { bytes: [], length: 0 }.identity(name, version, commands).length
}

/// The identity as the link section holds it.
#[doc(hidden)]
pub const fn identity_bytes<const LENGTH: usize>(
    name: &str,
    version: &str,
    commands: &[&str],
) -> [u8; LENGTH] {
    ConstWriter { bytes: [0; LENGTH], length: 0 }.identity(name, version, commands).bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: &[&str] = &["CloseIncidentInBulk", "Other"];
    const LENGTH: usize = identity_length("a-crate", "1.2.3-rc.1+b", COMMANDS);
    static BYTES: [u8; LENGTH] = identity_bytes("a-crate", "1.2.3-rc.1+b", COMMANDS);

    #[test]
    fn what_was_written_at_compile_time_is_read_back() {
        let expected = Identity {
            boundary: 1,
            name: "a-crate".into(),
            version: "1.2.3-rc.1+b".into(),
            commands: vec!["CloseIncidentInBulk".into(), "Other".into()],
        };
        assert_eq!(Identity::parse(&BYTES).unwrap(), expected);
        let padded: Vec<u8> = BYTES.iter().copied().chain([0; 7]).collect();
        assert_eq!(Identity::parse(&padded).unwrap(), expected);
    }

    #[test]
    fn other_content_is_refused() {
        assert!(Identity::parse(b"").is_err());
        assert!(Identity::parse(b"{\"boundary\":1}").is_err());
        assert!(Identity::parse(b"\xff\xfe").is_err());
    }
}
