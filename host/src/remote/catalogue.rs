//! The commands that there are, and `GET …/api/Commands`, which lists those of a key.

use super::response::json;
use super::service::Service;
use crate::execution::{ExecutionError, Host};
use crate::incidents::Limits;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use playdock_plugin_api::messages::CommandDescription;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The commands of all plugins, by their names in lower case.
pub(super) struct Catalogue {
    commands: BTreeMap<String, CommandDescription>,
}

impl Catalogue {
    /// Asks the plugins for their commands.
    pub(super) fn of(host: &Host) -> Result<Catalogue, ExecutionError> {
        let described = host
            .commands()
            .map(|name| Ok((name.to_ascii_lowercase(), host.describe(name)?.clone())));
        Ok(Catalogue { commands: described.collect::<Result<_, ExecutionError>>()? })
    }

    /// A command, by its name in lower case, if there is one within these limits.
    pub(super) fn find(&self, name: &str, limits: &Limits) -> Option<&CommandDescription> {
        self.commands.get(name).filter(|command| limits.allow_command(&command.name))
    }

    /// The commands within these limits.
    pub(super) fn within<'a>(
        &'a self,
        limits: &'a Limits,
    ) -> impl Iterator<Item = &'a CommandDescription> {
        self.commands.values().filter(|command| limits.allow_command(&command.name))
    }
}

pub(super) async fn list(State(service): State<Arc<Service>>, request: Request) -> Response {
    let admitted = match service.admit(request.headers()).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into_response(),
    };
    let commands = service.catalogue.within(&admitted.key.key.made.limits).map(entry);
    let body = json!({ "commands": commands.collect::<Vec<Value>>() }).to_string();
    let mut response = json(StatusCode::OK, body.into());
    admitted.note(&mut response, None);
    response
}

fn entry(command: &CommandDescription) -> Value {
    let columns = command.columns.context.iter().map(|column| column.name.as_ref());
    json!({
        "name": command.name,
        "title": command.title,
        "description": command.description,
        "category": command.category,
        "tags": command.tags,
        "parameters": command.parameters,
        "columns": columns.collect::<Vec<&str>>(),
    })
}
