//! JSON Lines: one object a line, in any order.
//!
//! ```json
//! {"kind":"site","name":"Security Operations","time_zone":"America/Los_Angeles"}
//! {"kind":"user","username":"admin user","sites":["Security Operations"],"may_close":true,"active":true}
//! {"kind":"incident","number":"20210127-198","site":"Security Operations","type":"Phishing","title":"Credential phish","status":"Open","severity":"High","owner":"jane","created":"2021-01-26T22:10:00Z","conclusion":"","tasks":[{"title":"Reset password","required":true,"status":"Pending"}],"fields":[{"section":"Closure","name":"Root cause","kind":"Activity","required_on_close":true,"visible":true,"value":null}]}
//! ```
//!
//! A site needs its `name`, a user its `username`, an incident its `number` and `site`, a task its
//! `title`, a field its `name`. An incident whose status is given as Closed may have `closed` (an
//! instant) and `closed_by`.
//!
//! **What a line leaves out** stays as the store has it: the time zone of a site; whether a user
//! is active and may close, and where; every member of an incident, its status, tasks and fields
//! among them. A new one has defaults: the zone UTC; an active user who may close, at no site; an incident
//! that is Open, with empty texts, no tasks and no fields. Null empties a text or an instant; for
//! `time_zone`, which can't be empty, it is as left out.
//!
//! **Lists are given whole.** `tasks` and `fields`, `[]` too, replace all tasks or fields of the
//! incident, and `sites` all sites of the user: a required task or field that the new list lacks is
//! gone. Within them, what is left out has a default: a task is Pending and not required; a field is
//! visible, of the kind Activity, in no section, not required, and has no value.
//!
//! **The status of a task** may be any text. Only Completed, Cancelled and Skipped, written like
//! this, count as done; a required task in any other status keeps its incident open.
//!
//! **A number that stands twice** at one site is written twice: where its lines differ, the last
//! counts, and the summary says that there are such numbers.
//!
//! **What is closed stays closed**: a line that has it otherwise doesn't reopen it or change its
//! conclusion, and what an execution closed is not touched at all.
//!
//! A member that is not listed here is an error: a misspelt `required_on_close` must not hide a
//! rule.

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
        Self { reader, line: 0, bytes_read: 0, buffer: Vec::new(), failed: false, progress }
    }

    /// The next record, none at the end of the file.
    fn next_record(&mut self) -> Result<Option<NumberedRecord>, ImportError> {
        loop {
            self.buffer.clear();
            let read =
                self.reader.read_until(b'\n', &mut self.buffer).map_err(ImportError::Read)?;
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
                let record = read_line(bytes).map_err(|problem| {
                    let problem = match problem {
                        LineProblem::NotAnObject(_) if line == 1 && looks_like_csv(bytes) => {
                            LineProblem::LooksLikeCsv
                        }
                        other => other,
                    };
                    ImportError::Line { line, problem }
                })?;
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

/// Whether a line that isn't an object may be the header of a CSV file.
fn looks_like_csv(line: &[u8]) -> bool {
    !line.starts_with(b"{") && !line.starts_with(b"[") && line.iter().any(|b| b",;".contains(b))
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
    let time_zone = members.filled_text("time_zone")?;
    if let Some(time_zone) = &time_zone {
        time_zone::find(time_zone).map_err(LineProblem::TimeZone)?;
    }
    Ok(Site { name, time_zone })
}

fn read_user(members: &mut Members<'_>) -> Result<User, LineProblem> {
    Ok(User {
        username: members.name("username")?,
        active: members.flag("active")?,
        may_close: members.flag("may_close")?,
        sites: members.texts("sites")?.map(UserSites::Only),
    })
}

fn read_incident(members: &mut Members<'_>) -> Result<Incident, LineProblem> {
    let incident = Incident {
        number: members.name("number")?.trim().to_owned(),
        site: members.name("site")?,
        r#type: members.text("type")?,
        title: members.text("title")?,
        status: members.word("status")?,
        severity: members.text("severity")?,
        owner: members.text("owner")?,
        created: members.instant("created")?,
        closed: members.instant("closed")?,
        closed_by: members.text("closed_by")?,
        conclusion: members.text("conclusion")?,
        tasks: read_list(members.objects("tasks")?, read_task)?,
        fields: read_list(members.objects("fields")?, read_field)?,
    };
    if incident.status != Some(Status::Closed) {
        // A forgotten status would otherwise import a closed incident as an open one.
        if incident.closed.flatten().is_some() {
            return Err(LineProblem::ClosedYetOpen { member: "closed" });
        }
        if incident.closed_by.as_ref().is_some_and(|name| !name.is_empty()) {
            return Err(LineProblem::ClosedYetOpen { member: "closed_by" });
        }
    }
    Ok(incident)
}

fn read_list<T>(
    objects: Option<Vec<&str>>,
    read: fn(&str) -> Result<T, LineProblem>,
) -> Result<Option<Vec<T>>, LineProblem> {
    let list = objects.map(|objects| objects.into_iter().map(read).collect());
    list.transpose()
}

fn read_task(text: &str) -> Result<Task, LineProblem> {
    let mut members = Members::read(text, "a task")?;
    let task = Task {
        title: members.name("title")?,
        required: members.flag("required")?.unwrap_or(false),
        status: members.filled_text("status")?.unwrap_or_else(|| "Pending".to_owned()),
    };
    members.finish()?;
    Ok(task)
}

fn read_field(text: &str) -> Result<Field, LineProblem> {
    let mut members = Members::read(text, "a field")?;
    let field = Field {
        section: members.text("section")?.unwrap_or_default(),
        name: members.name("name")?,
        kind: members.word("kind")?.unwrap_or_default(),
        required_on_close: members.flag("required_on_close")?.unwrap_or(false),
        visible: members.flag("visible")?.unwrap_or(true),
        value: members.value("value")?,
    };
    members.finish()?;
    Ok(field)
}

#[cfg(test)]
mod tests;
