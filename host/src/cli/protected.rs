//! What protects this program from the plugins that it runs, said plainly.

use super::exit::{self, Failure};
use crate::execution::Isolation;
use serde::Serialize;
use std::fmt;

/// What protects this program from a plugin.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(super) struct Protected {
    pub(super) isolation: &'static str,
    sandbox: Sandbox,
    /// What the sandbox lacks.
    missing: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Sandbox {
    Whole,
    InPart,
    None,
}

impl Protected {
    /// Finds it out; for workers, one without a plugin is started.
    pub(super) fn probe(isolation: &Isolation) -> Result<Protected, Failure> {
        let protection = isolation
            .protection()
            .map_err(|error| Failure { code: exit::PLUGIN, message: error.to_string() })?;
        let missing = protection.iter().flat_map(|it| it.missing_parts()).map(str::to_owned);
        let missing: Vec<String> = missing.collect();
        Ok(Protected {
            isolation: isolation.word(),
            sandbox: match protection.is_some() && cfg!(target_os = "linux") {
                false => Sandbox::None,
                true if missing.is_empty() => Sandbox::Whole,
                true => Sandbox::InPart,
            },
            missing,
        })
    }
}

impl fmt::Display for Protected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing.join("; ");
        match (self.isolation, self.sandbox) {
            ("worker", Sandbox::Whole) => out.write_str("worker: inside a sandbox"),
            ("worker", Sandbox::InPart) => {
                write!(out, "worker: without a part of the sandbox: {missing}")
            }
            ("worker", Sandbox::None) => write!(out, "worker: without a sandbox: {missing}"),
            _ => out.write_str("in-process: with all that this program may do"),
        }
    }
}
