//! What protects this program from the plugins that it runs, said plainly.

use super::arguments::Common;
use super::exit::{self, Failure};
use super::setup;
use crate::execution::Isolation;
use serde::Serialize;
use std::fmt;

/// What protects this program from its plugins.
#[derive(Serialize)]
pub(super) struct Protected {
    isolation: &'static str,
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
    /// Finds it out, for which a worker without a plugin is started.
    pub(super) fn probe(common: &Common) -> Result<Protected, Failure> {
        let isolation = setup::isolation(common)?;
        let protection = isolation
            .protection()
            .map_err(|error| Failure { code: exit::PLUGIN, message: error.to_string() })?;
        let missing = protection.iter().flat_map(|it| it.missing_parts()).map(str::to_owned);
        let missing: Vec<String> = missing.collect();
        Ok(Protected {
            isolation: match isolation {
                Isolation::Worker { .. } => "worker",
                Isolation::InProcess => "in-process",
            },
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
            ("worker", Sandbox::Whole) => out.write_str("They run in workers, inside a sandbox."),
            ("worker", Sandbox::InPart) => {
                write!(out, "They run in workers, without a part of their sandbox: {missing}.")
            }
            ("worker", Sandbox::None) => {
                write!(out, "They run in workers without a sandbox: {missing}.")
            }
            _ => out.write_str("They run in this program's own process, with all that it may do."),
        }
    }
}
