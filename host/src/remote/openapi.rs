//! `GET /openapi.json`: what a key can ask for, as OpenAPI 3.1, made of the plugins' own schemas.

mod schemas;

use super::paths::Namespace;
use super::response::json;
use super::service::Service;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use playdock_plugin_api::messages::CommandDescription;
use schemas::reference;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) async fn document(State(service): State<Arc<Service>>, request: Request) -> Response {
    let admitted = match service.admit(request.headers()).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into_response(),
    };
    let commands = service.catalogue.within(&admitted.key.key.made.limits);
    let document = describe(&service.namespace, commands).to_string();
    let mut response = json(StatusCode::OK, document.into());
    admitted.note(&mut response, None);
    response
}

fn describe<'a>(
    namespace: &Namespace,
    commands: impl Iterator<Item = &'a CommandDescription>,
) -> Value {
    let mut paths = Map::new();
    let mut all = schemas::common();
    for command in commands {
        let name = &command.name;
        paths.insert(namespace.path(&format!("Command/{name}")), command_path(command));
        all.insert(format!("{name}.Parameters"), schemas::parameters(command));
        all.insert(format!("{name}.Row"), schemas::row(command));
    }
    paths.insert(namespace.path("Commands"), commands_path());
    paths.insert(namespace.path("executions/{id}"), execution_path());
    paths.insert("/healthz".to_owned(), health("The server is there"));
    paths.insert("/readyz".to_owned(), health("The server can execute commands"));
    paths.insert("/openapi.json".to_owned(), document_path());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Playdock Remote Command API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A failure of a command, and a wrong parameter, is answered with status \
                200 and a filled `error`. Paths are matched without regard to case.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" }
        },
        "servers": [{ "url": "/" }],
        "security": [{ "d3key": [] }, { "d3jwt": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "d3key": { "type": "apiKey", "in": "header", "name": "d3key" },
                "d3jwt": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "d3jwt",
                    "description": "A JWT with an empty payload, signed with the key's secret by \
                        HS256. Refused where the server doesn't accept tokens."
                }
            },
            "schemas": all
        }
    })
}

fn command_path(command: &CommandDescription) -> Value {
    let name = &command.name;
    let examples = command.examples.iter().enumerate().filter_map(|(number, example)| {
        let parameters = example.get("parameters")?;
        let value = json!({
            "Username": "Admin", "Site": "Security Operations", "CommandParams": parameters
        });
        let summary = example.get("title").cloned().unwrap_or_default();
        Some((format!("example{}", number + 1), json!({ "summary": summary, "value": value })))
    });
    let answer = json!({
        "allOf": [
            reference("Answer"),
            { "properties": { "contextData": { "items": reference(&format!("{name}.Row")) } } }
        ]
    });
    json!({
        "post": {
            "operationId": name,
            "summary": command.title,
            "description": command.description,
            "tags": command.tags,
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "description": "Makes repeated requests one execution: the same key and body \
                        again goes on with it, or repeats its answer.",
                    "schema": { "type": "string", "pattern": "^[!-~]{1,200}$" }
                },
                {
                    "name": "Prefer",
                    "in": "header",
                    "description": "respond-async: answer as soon as the execution has begun.",
                    "schema": { "type": "string", "enum": ["respond-async"] }
                }
            ],
            "requestBody": {
                "required": true,
                "content": { "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["Username", "Site", "CommandParams"],
                        "properties": {
                            "Username": {
                                "type": "string",
                                "minLength": 1,
                                "description": "The account that asks."
                            },
                            "Site": {
                                "description": "The site to work in.",
                                "oneOf": [
                                    { "type": "string", "minLength": 1 },
                                    {
                                        "type": "array",
                                        "items": { "type": "string", "minLength": 1 },
                                        "minItems": 1,
                                        "maxItems": 1
                                    }
                                ]
                            },
                            "CommandParams": reference(&format!("{name}.Parameters"))
                        }
                    },
                    "examples": examples.collect::<Map<String, Value>>()
                } }
            },
            "responses": {
                "200": {
                    "description": "The answer; `error` is empty where all succeeded.",
                    "headers": { "Playdock-Execution-Id": {
                        "description": "The execution, unless the request was wrong before it began.",
                        "schema": { "type": "string" }
                    } },
                    "content": { "application/json": { "schema": answer } }
                },
                "202": {
                    "description": "The execution has begun; `Location` tells of it.",
                    "headers": { "Location": { "required": true, "schema": { "type": "string" } } },
                    "content": { "application/json": { "schema": reference("Execution") } }
                },
                "400": refusal("The body is no JSON object, there is no such command, or the \
                    Idempotency-Key is none."),
                "401": refusal("There is no good key."),
                "408": refusal("The body did not come in time."),
                "413": refusal("The body is too large."),
                "429": refusal("Too many requests."),
                "500": refusal("The server failed, or is being stopped."),
                "501": refusal("The body is coded for its transfer other than in chunks.")
            }
        }
    })
}

fn commands_path() -> Value {
    json!({
        "get": {
            "operationId": "listCommands",
            "summary": "The commands that the key may run",
            "responses": {
                "200": {
                    "description": "The commands, with the JSON Schema of their parameters.",
                    "content": { "application/json": { "schema": {
                        "type": "object",
                        "required": ["commands"],
                        "properties": { "commands": { "type": "array", "items": {
                            "type": "object",
                            "required": ["name", "title", "description", "parameters", "columns"]
                        } } }
                    } } }
                },
                "401": refusal("There is no good key."),
                "429": refusal("Too many requests.")
            }
        }
    })
}

fn execution_path() -> Value {
    let shown = |description: &str| {
        json!({
            "description": description,
            "content": { "application/json": { "schema": reference("Execution") } }
        })
    };
    let id = json!([
        { "name": "id", "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }
    ]);
    json!({
        "get": {
            "operationId": "showExecution",
            "summary": "How far an execution is, and its answer",
            "parameters": id,
            "responses": {
                "200": shown("The execution."),
                "401": refusal("There is no good key."),
                "404": refusal("The key has begun no such execution."),
                "429": refusal("Too many requests."),
                "500": refusal("The server failed.")
            }
        },
        "delete": {
            "operationId": "cancelExecution",
            "summary": "Cancel an execution; what it has done stays done",
            "parameters": id,
            "responses": {
                "202": shown("It is asked to stop; it stays to be shown."),
                "401": refusal("There is no good key."),
                "404": refusal("The key has begun no such execution."),
                "409": refusal("It has ended, or runs in another process."),
                "429": refusal("Too many requests."),
                "500": refusal("The server failed.")
            }
        }
    })
}

fn document_path() -> Value {
    json!({
        "get": {
            "operationId": "openapi",
            "summary": "This document",
            "responses": {
                "200": {
                    "description": "This document.",
                    "content": { "application/json": { "schema": { "type": "object" } } }
                },
                "401": refusal("There is no good key."),
                "429": refusal("Too many requests.")
            }
        }
    })
}

fn health(summary: &str) -> Value {
    let status = |description: &str| {
        json!({
            "description": description,
            "content": { "text/plain": { "schema": { "type": "string" } } }
        })
    };
    json!({
        "get": {
            "summary": summary,
            "security": [],
            "responses": { "200": status("Yes."), "503": status("No.") }
        }
    })
}

fn refusal(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": reference("Refusal") } }
    })
}
