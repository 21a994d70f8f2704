//! Tokens in the manner of D3: a JWT with an empty payload, signed with the secret of a key.
//!
//! HS256 alone. A token says nothing but that its maker has the secret; without `exp` it can be
//! sent again by whoever saw it, until the key is revoked.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use playdock_plugin_api::Timestamp;
use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// No token of ours is nearly as long.
const LONGEST: usize = 4096;

/// A token that is well formed and is good at its time; whose it is, its signature tells.
pub(super) struct Token<'a> {
    signed: &'a str,
    signature: Vec<u8>,
}

/// What else a header may say (`crit`, `jku`, …) would have to be heeded, so it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(rename = "typ", default)]
    _type: Option<String>,
    #[serde(rename = "kid", default)]
    _key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    #[serde(default, deserialize_with = "seconds")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "seconds")]
    nbf: Option<f64>,
    /// Many libraries add it unasked.
    #[serde(rename = "iat", default, deserialize_with = "seconds")]
    _issued_at: Option<f64>,
}

/// A claim that is there is a number: `null` is none.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    f64::deserialize(deserializer).map(Some)
}

/// Reads a JSON object; serde would take an array of the members too.
fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let json = json.trim_ascii_start();
    json.starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
}

impl<'a> Token<'a> {
    /// Reads a token; `None` where it is none, or none that is good at this moment.
    pub(super) fn read(token: &'a str, now: Timestamp) -> Option<Token<'a>> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = object(&decode(header)?)?;
        let claims: Claims = object(&decode(claims)?)?;
        #[allow(clippy::cast_precision_loss, reason = "to the millisecond for 285,000 years")]
        let now = now.milliseconds() as f64 / 1000.0;
        let in_time =
            claims.exp.is_none_or(|exp| now < exp) && claims.nbf.is_none_or(|nbf| nbf <= now);
        let good = header.alg == "HS256" && in_time;
        good.then_some(Token { signed, signature: decode(signature)? })
    }

    /// Whether it was signed with this secret.
    pub(super) fn is_signed_with(&self, secret: &hmac::Key) -> bool {
        hmac::verify(secret, self.signed.as_bytes(), &self.signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_611_756_480_000);

    fn secret() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, b"a secret")
    }

    fn signed(header: &str, claims: &str) -> String {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = hmac::sign(&secret(), signed.as_bytes());
        format!("{signed}.{}", encode(signature.as_ref()))
    }

    fn is_good(token: &str) -> bool {
        Token::read(token, NOW).is_some_and(|token| token.is_signed_with(&secret()))
    }

    const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn an_empty_payload_is_enough_and_times_are_honoured() {
        assert!(is_good(&signed(HEADER, "{}")));
        assert!(is_good(&signed(HEADER, r#"{"exp":1611756481,"nbf":1611756480,"iat":1}"#)));
        for claims in [
            r#"{"exp":1611756480}"#,
            r#"{"exp":0}"#,
            r#"{"exp":null}"#,
            r#"{"exp":"1911756480"}"#,
            r#"{"exp":1,"exp":1911756480}"#,
            r#"{"nbf":1611756481}"#,
            r#"{"sub":"admin"}"#,
            "[]",
            "",
        ] {
            assert!(!is_good(&signed(HEADER, claims)), "{claims}");
        }
    }

    #[test]
    fn the_algorithm_is_ours_to_say() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":"RS256"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"typ":"JWT"}"#,
            r#"["HS256"]"#,
            r#"{"alg":"none","alg":"HS256"}"#,
            r#"{"alg":"HS256","crit":["exp"]}"#,
            r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}"#,
        ] {
            assert!(!is_good(&signed(header, "{}")), "{header}");
        }
    }

    #[test]
    fn what_was_changed_is_refused() {
        let token = signed(HEADER, "{}");
        let other = hmac::Key::new(hmac::HMAC_SHA256, b"another secret");
        assert!(!Token::read(&token, NOW).unwrap().is_signed_with(&other));
        let (head, _) = token.rsplit_once('.').unwrap();
        for changed in [
            format!("{head}."),
            head.to_owned(),
            format!("{token}.x"),
            format!("{token}="),
            format!("{token} "),
            token.replacen('.', "..", 1),
            "a".repeat(9999),
        ] {
            assert!(!is_good(&changed), "{changed}");
        }
    }
}
