//! Where a store in PostgreSQL is, and how its connections are protected: the parameters of its URL.
//!
//! They are those of libpq, as far as they are of use here. Where the URL doesn't say whom to trust,
//! certificates are verified, unless the server is on this machine.

use super::super::error::StoreError;
use super::super::location::PostgresUrl;
use super::password;
use percent_encoding::percent_decode_str;
use std::error::Error;
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

/// The address of a store.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) security: Security,
    url: PostgresUrl,
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
    /// Reads the parameters of a URL.
    pub(super) fn of(url: &PostgresUrl) -> Result<Address, StoreError> {
        let text = url.with_password();
        let (before, parameters) = text.split_once('?').unwrap_or((text, ""));
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
        let wrong = |cause: String| StoreError::CannotOpen { store: url.to_string(), cause };
        let mut config: Config = bare.parse().map_err(|error: tokio_postgres::Error| {
            // What is wrong, without a value.
            let cause = error.source().map(ToString::to_string);
            wrong(cause.unwrap_or_else(|| error.to_string()))
        })?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_password().is_none()
            && let Some(password) = password::password(&config).map_err(wrong)?
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
        let roots = roots.filter(|file| file != "system").map(PathBuf::from);
        Ok(Address { config, security: Security { verified, roots }, url: url.clone() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(formatter)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Address, StoreError> {
        Address::of(&PostgresUrl::parse(url).unwrap().unwrap())
    }

    #[test]
    fn a_password_is_used_and_not_shown() {
        let address = of("postgres://jane:s%40cret@db.example:5433/soar?sslmode=require").unwrap();
        assert_eq!(address.to_string(), "postgres://jane@db.example:5433/soar");
        assert_eq!(address.config.get_password(), Some(&b"s@cret"[..]));
        for wrong in ["sslmode=perhaps", "port=s%40cret", "wrong=s%40cret"] {
            let url = format!("postgres://jane:s%40cret@db.example/soar?{wrong}");
            let error = of(&url).err().unwrap().to_string();
            assert!(!error.contains("cret") && error.contains("db.example"), "{error}");
        }
    }

    #[test]
    fn certificates_are_verified_unless_the_url_says_otherwise_or_the_host_is_this_one() {
        let security = |url: &str| {
            let address = of(url).unwrap();
            (address.config.get_ssl_mode(), address.security.verified)
        };
        let whole = (SslMode::Require, Verified::IssuerAndHost);
        assert_eq!(security("postgres://u@db.example/d"), whole);
        assert_eq!(security("postgres://u@localhost,db.example/d"), whole);
        let none = (SslMode::Prefer, Verified::Nothing);
        for local in ["", "localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            assert_eq!(security(&format!("postgresql://u@{local}/d")), none, "{local}");
        }
        let required = "postgres://u@db.example/d?sslmode=require";
        assert_eq!(security(required), (SslMode::Require, Verified::Nothing));
        let with_roots = format!("{required}&sslrootcert=%2Fca.pem");
        assert_eq!(security(&with_roots), (SslMode::Require, Verified::Issuer));
        assert_eq!(of(&with_roots).unwrap().security.roots, Some("/ca.pem".into()));
    }
}
