//! `playdock incidents`: importing them, listing them, showing one.

mod import;
mod show;

pub(super) use import::import_file;

use super::arguments::{Common, Incidents, IncidentsAction, Output};
use super::exit::{self, Failure};
use super::instant::utc;
use super::{known, output, setup, table, terminal};
use crate::incidents::{IncidentFilter, IncidentLine, Store};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn incidents(common: &Common, arguments: &Incidents) -> Result<ExitCode, Failure> {
    let store = match &arguments.action {
        IncidentsAction::Import { .. } => setup::store(common)?,
        IncidentsAction::List { .. } | IncidentsAction::Show { .. } => {
            setup::store_that_is_there(common)?
        }
    };
    match &arguments.action {
        IncidentsAction::Import { file, map } => {
            import(common, &*store, file, map.as_deref())?;
        }
        IncidentsAction::List { site, status, limit } => {
            if let Some(site) = site {
                known::check_site(&*store, site)?;
            }
            let filter = IncidentFilter {
                site: site.clone(),
                status: status.map(|status| status.word().to_owned()),
                limit: *limit,
            };
            list(common, &*store, &filter)?;
        }
        IncidentsAction::Show { number, site } => {
            if let Some(site) = site {
                known::check_site(&*store, site)?;
            }
            let found = store.incident(number, site.as_deref())?;
            if found.is_empty() {
                let whose = match site {
                    Some(site) => format!("the site {site}"),
                    None => "the store".to_owned(),
                };
                let message = format!("{whose} has no incident {number}");
                return Err(Failure { code: exit::FAILED, message });
            }
            match common.output {
                Output::Json => output::write_json(&found)?,
                Output::Text | Output::Junit | Output::Markdown => {
                    output::write(|out| show::details(out, &found))?
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn import(
    common: &Common,
    store: &dyn Store,
    file: &Path,
    map: Option<&Path>,
) -> Result<(), Failure> {
    let summary = import_file(store, file, map)?;
    match common.output {
        Output::Json => output::write_json(&summary),
        Output::Text | Output::Junit | Output::Markdown => {
            output::write(|out| writeln!(out, "{}", terminal::safe(&summary.to_string())))
        }
    }
}

fn list(common: &Common, store: &dyn Store, filter: &IncidentFilter) -> Result<(), Failure> {
    let incidents = store.incidents(filter)?;
    if common.output == Output::Json {
        return output::write_json(&incidents);
    }
    if incidents.is_empty() {
        let hint = match store.site_names()?.is_empty() {
            true => " Import some first, with playdock incidents import FILE.",
            false => "",
        };
        return output::write(|out| writeln!(out, "No incidents.{hint}"));
    }
    let more = match incidents.len() < filter.limit {
        true => 0,
        false => store.count_incidents(filter)?.saturating_sub(incidents.len() as u64),
    };
    let headings =
        ["Number", "Site", "Status", "Severity", "Title", "Owner", "Closed (UTC)", "Closed by"];
    output::write(|out| {
        table::write(out, &headings, incidents.iter().map(row))?;
        match more {
            0 => Ok(()),
            _ => writeln!(out, "… and {more} more; --limit shows them"),
        }
    })
}

fn row(incident: &IncidentLine) -> Vec<String> {
    vec![
        incident.number.clone(),
        incident.site.clone(),
        incident.status.clone(),
        incident.severity.clone(),
        incident.title.clone(),
        incident.owner.clone(),
        incident.closed_at.map(utc).unwrap_or_default(),
        incident.closed_by.clone().unwrap_or_default(),
    ]
}
