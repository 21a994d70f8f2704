//! Where a store in PostgreSQL is: the URL that names it, and whom its connections trust.
//!
//! What a URL can say is what libpq knows, as far as it is of use here. It is shown without its
//! password.

use super::super::error::StoreError;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long a connection may take to be made.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection may say nothing before it is asked whether it lives, and how long what was
/// sent may go unacknowledged.
const SILENCE: Duration = Duration::from_secs(10);

/// What begins the URL of a store in PostgreSQL.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The address of a store.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) security: Security,
    shown: String,
}

/// How connections are protected: the `sslmode` of libpq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Security {
    pub(super) verified: Verified,
    /// The file with the certificates that are trusted, in place of those of the system.
    pub(super) roots: Option<PathBuf>,
}

/// What of the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    /// Nothing.
    Nothing,
    /// That somebody who is trusted made it.
    Issuer,
    /// That, and that it is for this host.
    IssuerAndHost,
}

impl Address {
    /// Whether this names a store in PostgreSQL.
    pub(super) fn is_one(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// Reads the URL.
    pub(super) fn parse(url: &str) -> Result<Address, StoreError> {
        let (before, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut left) = (None, None, Vec::new());
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => mode = Some(value()),
                "sslrootcert" => roots = Some(value()),
                _ => left.push(parameter),
            }
        }
        let bare = match left.is_empty() {
            true => before.to_owned(),
            false => format!("{before}?{}", left.join("&")),
        };
        let wrong = |cause: String| StoreError::CannotOpen { path: without_password(url), cause };
        let mut config: Config =
            bare.parse().map_err(|error: tokio_postgres::Error| wrong(said(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(wrong("it names no host: postgres://USER@HOST/DATABASE".to_owned()));
        }
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        let mode = mode.as_deref().unwrap_or(match config.get_hosts().iter().all(is_local) {
            true => "prefer",
            false => "verify-full",
        });
        // As with libpq, a file of certificates isn't given in vain.
        let or_issuer = if roots.is_some() { Verified::Issuer } else { Verified::Nothing };
        let (ssl, verified) = match mode {
            "disable" => (SslMode::Disable, Verified::Nothing),
            "prefer" => (SslMode::Prefer, Verified::Nothing),
            "require" => (SslMode::Require, or_issuer),
            "verify-ca" => (SslMode::Require, Verified::Issuer),
            "verify-full" => (SslMode::Require, Verified::IssuerAndHost),
            other => {
                return Err(wrong(format!(
                    "sslmode is {other}, and can be disable, prefer, require, verify-ca or verify-full"
                )));
            }
        };
        config.ssl_mode(ssl);
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(*config.get_connect_timeout().unwrap_or(&CONNECT));
        config.keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        if config.get_application_name().is_none() {
            config.application_name("playdock");
        }
        let shown = shown(&config);
        let roots = roots.filter(|file| file != "system").map(PathBuf::from);
        Ok(Address { config, security: Security { verified, roots }, shown })
    }

    /// As a path, for sentences that name one.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(&self.shown)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let is_loopback = |address: IpAddr| address.is_loopback();
            name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let mut shown = SCHEMES[0].to_owned();
    if let Some(user) = config.get_user() {
        shown += &format!("{user}@");
    }
    let ports = config.get_ports();
    for (index, host) in config.get_hosts().iter().enumerate() {
        if index > 0 {
            shown.push(',');
        }
        match host {
            Host::Tcp(name) if name.contains(':') => shown += &format!("[{name}]"),
            Host::Tcp(name) => shown += name,
            #[cfg(unix)]
            Host::Unix(folder) => shown += &folder.to_string_lossy().replace('/', "%2F"),
        }
        if let Some(port) = ports.get(index).or(ports.first()) {
            shown += &format!(":{port}");
        }
    }
    shown + &config.get_dbname().map(|name| format!("/{name}")).unwrap_or_default()
}

/// A URL that can't be read, without what may be a password.
fn without_password(url: &str) -> PathBuf {
    let scheme = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(scheme);
    let rest = rest.split('?').next().unwrap_or_default();
    let host = rest.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    PathBuf::from(format!("{scheme}{host}"))
}

/// What the client says, with its cause.
fn said(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        Address::parse(url).unwrap()
    }

    #[test]
    fn a_password_is_not_shown() {
        let address = parse("postgres://jane:s%40cret@db.example:5433/soar?sslmode=require");
        assert_eq!(address.to_string(), "postgres://jane@db.example:5433/soar");
        assert_eq!(address.config.get_password(), Some(&b"s@cret"[..]));
        for wrong in [
            "postgres://jane:s@cret@db.example/soar?sslmode=perhaps",
            "postgres://jane:s@cret@db.example:port/soar",
            "postgres://jane:s@cret@db.example/soar?wrong=s@cret",
        ] {
            let error = Address::parse(wrong).err().unwrap().to_string();
            assert!(!error.contains("cret"), "{error}");
            assert!(error.contains("db.example"), "{error}");
        }
    }

    #[test]
    fn certificates_are_verified_unless_the_url_says_otherwise_or_the_host_is_this_one() {
        let security = |url: &str| {
            let address = parse(url);
            (address.config.get_ssl_mode(), address.security.verified)
        };
        let whole = (SslMode::Require, Verified::IssuerAndHost);
        assert_eq!(security("postgres://u@db.example/d"), whole);
        assert_eq!(security("postgres://u@localhost,db.example/d"), whole);
        let none = (SslMode::Prefer, Verified::Nothing);
        for local in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            assert_eq!(security(&format!("postgresql://u@{local}/d")), none, "{local}");
        }
        let required = "postgres://u@db.example/d?sslmode=require";
        assert_eq!(security(required), (SslMode::Require, Verified::Nothing));
        let with_roots = format!("{required}&sslrootcert=%2Fca.pem");
        assert_eq!(security(&with_roots), (SslMode::Require, Verified::Issuer));
        assert_eq!(parse(&with_roots).security.roots, Some("/ca.pem".into()));
    }
}
