//! JSON Lines: one object a line, in any order.
//!
//! ```json
//! {"kind":"site","name":"Security Operations","time_zone":"America/Los_Angeles"}
//! {"kind":"user","username":"admin user","sites":["Security Operations"],"may_close":true,"active":true}
//! {"kind":"incident","number":"20210127-198","site":"Security Operations","type":"Phishing","title":"Credential phish","status":"Open","severity":"High","owner":"jane","created":"2021-01-26T22:10:00Z","conclusion":"","tasks":[{"title":"Reset password","required":true,"status":"Pending"}],"fields":[{"section":"Closure","name":"Root cause","kind":"Activity","required_on_close":true,"visible":true,"value":null}]}
//! ```
//!
//! A site needs its `name`, a user its `username`, an incident its `number` and `site`, a task its
//! `title`, a field its `name`. All else has a default: the zone UTC; an active user who may close,
//! at no site; an incident that is Open, a task that is not required and Pending, a visible field of
//! the kind Activity, not required, without a value; empty text. An incident whose status is Closed
//! may have `closed` (an instant) and `closed_by`. Texts and instants may be null, which is as absent.
//!
//! A member that is not listed here is an error: a misspelt `required_on_close` must not hide a rule.

use std::io::BufRead;

use super::error::{ImportError, LineProblem};
use super::members::Members;
use super::{
    Field, Incident, LINES_PER_REPORT, NumberedRecord, Record, Site, Status, Task, User, UserSites,
    time_zone,
};

/// The records of a JSON Lines file, in its order. After an error there are no more.
pub struct JsonLines<'p, R> {
    reader: R,
    line: u64,
    bytes_read: u64,
    buffer: Vec<u8>,
    failed: bool,
    progress: &'p mut dyn FnMut(u64),
}

impl<'p, R: BufRead> JsonLines<'p, R> {
    /// Reads from the reader's present place; `progress` hears now and then how many bytes are read.
    pub fn new(reader: R, progress: &'p mut dyn FnMut(u64)) -> Self {
        Self {
            reader,
            line: 0,
            bytes_read: 0,
            buffer: Vec::new(),
            failed: false,
            progress,
        }
    }

    /// The next record, none at the end of the file.
    fn next_record(&mut self) -> Result<Option<NumberedRecord>, ImportError> {
        loop {
            self.buffer.clear();
            let read = self
                .reader
                .read_until(b'\n', &mut self.buffer)
                .map_err(ImportError::Read)?;
            if read == 0 {
                (self.progress)(self.bytes_read);
                return Ok(None);
            }
            self.line += 1;
            self.bytes_read += read as u64;
            if self.line.is_multiple_of(LINES_PER_REPORT) {
                (self.progress)(self.bytes_read);
            }
            let mut bytes = self.buffer.as_slice();
            if self.line == 1 {
                bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
            }
            let bytes = bytes.trim_ascii();
            if !bytes.is_empty() {
                let line = self.line;
                let record = read_line(bytes);
                let record = record.map_err(|problem| ImportError::Line { line, problem })?;
                return Ok(Some(NumberedRecord { line, record }));
            }
        }
    }
}

impl<R: BufRead> Iterator for JsonLines<'_, R> {
    type Item = Result<NumberedRecord, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.next_record();
        self.failed = next.is_err();
        next.transpose()
    }
}

fn read_line(bytes: &[u8]) -> Result<Record, LineProblem> {
    let text = str::from_utf8(bytes).map_err(|_| LineProblem::NotUtf8)?;
    let mut members = Members::read(text, "a line")?;
    let kind = members.name("kind")?;
    let record = match kind.as_str() {
        "site" => {
            members.rename("a site");
            Record::Site(read_site(&mut members)?)
        }
        "user" => {
            members.rename("a user");
            Record::User(read_user(&mut members)?)
        }
        "incident" => {
            members.rename("an incident");
            Record::Incident(Box::new(read_incident(&mut members)?))
        }
        _ => return Err(LineProblem::UnknownKind { kind }),
    };
    members.finish()?;
    Ok(record)
}

fn read_site(members: &mut Members<'_>) -> Result<Site, LineProblem> {
    let name = members.name("name")?;
    let time_zone = members
        .text("time_zone")?
        .unwrap_or_else(|| "UTC".to_owned());
    time_zone::find(&time_zone).map_err(LineProblem::TimeZone)?;
    Ok(Site { name, time_zone })
}

fn read_user(members: &mut Members<'_>) -> Result<User, LineProblem> {
    Ok(User {
        username: members.name("username")?,
        active: members.flag("active", true)?,
        may_close: members.flag("may_close", true)?,
        sites: UserSites::Only(members.texts("sites")?),
    })
}

fn read_incident(members: &mut Members<'_>) -> Result<Incident, LineProblem> {
    let incident = Incident {
        number: members.name("number")?.trim().to_owned(),
        site: members.name("site")?,
        r#type: members.text("type")?.unwrap_or_default(),
        title: members.text("title")?.unwrap_or_default(),
        status: members.word("status")?,
        severity: members.text("severity")?.unwrap_or_default(),
        owner: members.text("owner")?.unwrap_or_default(),
        created: members.instant("created")?,
        closed: members.instant("closed")?,
        closed_by: members.text("closed_by")?,
        conclusion: members.text("conclusion")?.unwrap_or_default(),
        tasks: members
            .objects("tasks")?
            .into_iter()
            .map(read_task)
            .collect::<Result<_, _>>()?,
        fields: members
            .objects("fields")?
            .into_iter()
            .map(read_field)
            .collect::<Result<_, _>>()?,
    };
    if incident.status != Status::Closed {
        // A forgotten status would otherwise import a closed incident as an open one.
        let status = incident.status.word();
        if incident.closed.is_some() {
            return Err(LineProblem::ClosedYetOpen {
                member: "closed",
                status,
            });
        }
        if incident.closed_by.is_some() {
            return Err(LineProblem::ClosedYetOpen {
                member: "closed_by",
                status,
            });
        }
    }
    Ok(incident)
}

fn read_task(text: &str) -> Result<Task, LineProblem> {
    let mut members = Members::read(text, "a task")?;
    let task = Task {
        title: members.name("title")?,
        required: members.flag("required", false)?,
        status: members
            .text("status")?
            .unwrap_or_else(|| "Pending".to_owned()),
    };
    members.finish()?;
    Ok(task)
}

fn read_field(text: &str) -> Result<Field, LineProblem> {
    let mut members = Members::read(text, "a field")?;
    let field = Field {
        section: members.text("section")?.unwrap_or_default(),
        name: members.name("name")?,
        kind: members.word("kind")?,
        required_on_close: members.flag("required_on_close", false)?,
        visible: members.flag("visible", true)?,
        value: members.value("value")?,
    };
    members.finish()?;
    Ok(field)
}

#[cfg(test)]
mod tests;
