//! Paths: one spelling for each, and nothing that could be read in two ways.

/// The segments that come before `api` in the paths of the server: `MainApp/VSOC`, say; none is
/// one too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace {
    segments: String,
}

/// Why a text can't be a namespace.
#[derive(Debug, thiserror::Error)]
#[error(
    "\"{0}\" can't be a namespace: it takes segments of ASCII letters, digits and the signs - _ . with a / between them"
)]
pub struct InvalidNamespace(String);

impl Namespace {
    /// Reads a namespace; a slash before and after it is as none.
    ///
    /// # Errors
    ///
    /// [`InvalidNamespace`]
    pub fn parse(text: &str) -> Result<Namespace, InvalidNamespace> {
        let trimmed = text.strip_prefix('/').unwrap_or(text);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        if trimmed.is_empty() {
            return Ok(Namespace::default());
        }
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match trimmed.bytes().all(|byte| byte == b'/' || is_sign(byte)) && is_plain(trimmed) {
            true => Ok(Namespace { segments: format!("/{trimmed}") }),
            false => Err(InvalidNamespace(text.to_owned())),
        }
    }

    /// The path of something in it, as documents and headers write it.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("{}/api/{rest}", self.segments)
    }
}

/// A path in lower case, as routes are written; `None` where it could be read in two ways: with an
/// empty segment, one of dots, or a character that would have to be decoded.
pub(super) fn normalised(path: &str) -> Option<String> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:+/".contains(&byte);
    let rest = path.strip_prefix('/')?;
    (rest.bytes().all(is_sign) && is_plain(rest)).then(|| path.to_ascii_lowercase())
}

/// The path of a request as the client wrote it.
#[derive(Debug, Clone)]
pub(super) struct OriginalPath(pub(super) String);

impl OriginalPath {
    /// Its last segment.
    pub(super) fn last(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

fn is_plain(path: &str) -> bool {
    path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_any_number_of_segments() {
        let path = |text: &str| Namespace::parse(text).map(|it| it.path("Commands"));
        assert_eq!(path("").unwrap(), "/api/Commands");
        assert_eq!(path("MainApp/VSOC").unwrap(), "/MainApp/VSOC/api/Commands");
        assert_eq!(path("/v1.0/").unwrap(), "/v1.0/api/Commands");
        for wrong in ["a b", "a//b", "../a", "a/.", "%41", "{a}", "ü"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_has_one_spelling_but_for_its_case() {
        assert_eq!(normalised("/A/api/Command/X").as_deref(), Some("/a/api/command/x"));
        let tricks = [
            "", "*", "a", "//a", "/a//b", "/a/", "/a/../b", "/a/./b", "/a%2fb", "/a%2Fb", "/%61",
            "/a\\b", "/a;b", "/a b", "/é", "/..",
        ];
        for trick in tricks {
            assert_eq!(normalised(trick), None, "{trick}");
        }
    }
}
