//! The URL of a database of PostgreSQL, which may hold a password: where its parts begin and end is
//! known before any of it is shown.

use std::fmt;

/// The schemes, as the client of PostgreSQL knows them.
const SCHEMES: [&str; 2] = ["postgres", "postgresql"];

/// A URL of PostgreSQL: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`, where all but the
/// scheme may be missing. Shown, it has neither the password nor the parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    text: String,
    shown: String,
}

/// Why a URL is not taken. It never repeats the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL of the store is not postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS: {0}; write each character of :/?#[]@%& that belongs to a name or a password as % and two digits, @ as %40 say"
)]
pub struct NotAPostgresUrl(&'static str);

impl PostgresUrl {
    /// Reads a URL; `None` if it has another scheme.
    ///
    /// # Errors
    ///
    /// [`NotAPostgresUrl`]: it can't be told where the password ends, say.
    pub fn parse(text: &str) -> Result<Option<PostgresUrl>, NotAPostgresUrl> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(None) };
        let scheme = scheme.to_ascii_lowercase();
        if !SCHEMES.contains(&scheme.as_str()) {
            return Ok(None);
        }
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (user, hosts) = match authority.split_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, password)) => (Some(user), password),
            None => (None, ""),
        };
        let bad = |names: &str| names.contains([':', '/', '?', '#', '[', ']', '@', '&']);
        if [user.unwrap_or_default(), password].into_iter().any(bad) {
            return Err(NotAPostgresUrl("its user or its password can't be told from the rest"));
        }
        if !hosts.split(',').all(is_host) {
            return Err(NotAPostgresUrl("what stands where the host should is none"));
        }
        if bad(database) {
            return Err(NotAPostgresUrl("what stands where the database should is no name"));
        }
        if !parameters.is_empty() && !parameters.split('&').all(is_parameter) {
            return Err(NotAPostgresUrl("one of its parameters is not NAME=VALUE"));
        }
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let shown = format!("{scheme}://{user}{hosts}/{database}");
        Ok(Some(PostgresUrl { text: format!("{scheme}://{rest}"), shown }))
    }

    /// The URL with its password, for the client that connects to it and nobody else.
    pub fn with_password(&self) -> &str {
        &self.text
    }
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, or nothing, which is this machine.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, port)) => match address.parse::<std::net::Ipv6Addr>() {
            Ok(_) => ("", port),
            Err(_) => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    let in_name = |character: char| character.is_alphanumeric() || "-._%".contains(character);
    name.chars().all(in_name) && (port.is_empty() || port.parse::<u16>().is_ok())
}

fn is_parameter(parameter: &str) -> bool {
    let bad = ['/', '?', '#', '[', ']', '@', '&', '='];
    let Some((name, value)) = parameter.split_once('=') else { return false };
    // A path needs no escape here: sslrootcert=/etc/ca.pem.
    !name.is_empty()
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !value.contains(&bad[1..])
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let url = PostgresUrl::parse(text).unwrap().unwrap();
        assert_eq!(format!("{url:?}"), url.to_string());
        url.to_string()
    }

    #[test]
    fn a_url_is_shown_without_its_password_and_its_parameters() {
        assert_eq!(shown("postgres://h/d"), "postgres://h/d");
        assert_eq!(shown("POSTGRES://jane:secret@h:5433/d"), "postgres://jane@h:5433/d");
        assert_eq!(shown("postgresql://jane:@h"), "postgresql://jane@h/");
        assert_eq!(shown("postgres://a:1,b:2/d?password=secret"), "postgres://a:1,b:2/d");
        assert_eq!(shown("postgres:///d?host=/run/p&user=jane"), "postgres:///d");
        assert_eq!(shown("postgres://j%40x:s%2Fecret@[::1]:5/d"), "postgres://j%40x@[::1]:5/d");
        assert_eq!(shown("postgres://%2Frun%2Fp/d"), "postgres://%2Frun%2Fp/d");
        let url = PostgresUrl::parse("Postgres://jane:secret@h/d?a=b").unwrap().unwrap();
        assert_eq!(url.with_password(), "postgres://jane:secret@h/d?a=b");
    }

    #[test]
    fn a_password_that_is_not_escaped_is_refused_and_not_repeated() {
        for wrong in [
            "postgres://u:se/cret@h/d",
            "postgres://u:se?cret@h/d",
            "postgres://u:se#cret@h/d",
            "postgres://u:se@cret@h/d",
            "postgres://u:se:cret@h/d",
            "postgres://u:1?se=cret@h/d",
            "postgres://u:1/se=cret@h/d",
            "postgres://h/d?password=se@cret",
            "postgres://h/d?password=se=cret",
            "postgres://h/d?secret",
        ] {
            let error = PostgresUrl::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("cret") && error.contains("%40"), "{wrong}: {error}");
        }
    }
}
