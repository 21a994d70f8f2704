//! What an error of the database means: whether the same may be tried again, and its sentence.

use super::super::error::{LOCK_TIMEOUT_SECONDS, StoreError};
use super::connections::{STATEMENT_SECONDS, WAIT_SECONDS};
use super::tls;
use deadpool_postgres::{HookError, PoolError, TimeoutType};
use std::error::Error;
use std::fmt::Display;
use tokio_postgres::error::{DbError, SqlState};

/// Why an operation was not done.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// There is no connection, or there is no longer one; this is why. What it was in the middle
    /// of is not done, unless it was a commit.
    Lost(String),
    /// The server can't be trusted as it should be, or lets nobody in under this address; this is
    /// why.
    Unusable(String),
    /// Another transaction was in the way, and this one was undone for it.
    Conflict(StoreError),
    /// It would fail again.
    Final(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed::Final(error)
    }
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Failed {
        if let Some(said) = error.as_db_error() {
            return by_code(said);
        }
        let cause = with_causes(&error);
        // Values that can't be what they are read as come as errors of the client, and those of
        // connections have a cause in the system or none.
        let is_of_system = error.source().is_some_and(|source| source.is::<std::io::Error>());
        match error.is_closed() || is_of_system {
            true => Failed::Lost(cause),
            false => Failed::Final(StoreError::Disk(cause)),
        }
    }
}

impl From<PoolError> for Failed {
    fn from(error: PoolError) -> Failed {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                connecting(error)
            }
            PoolError::Timeout(TimeoutType::Wait) => Failed::Final(StoreError::Busy(WAIT_SECONDS)),
            PoolError::Timeout(_) => Failed::Lost("it gave no answer".to_owned()),
            PoolError::Closed => Failed::Final(StoreError::Closed),
            other => Failed::Lost(other.to_string()),
        }
    }
}

/// What an error means of a connection that is being made.
fn connecting(error: tokio_postgres::Error) -> Failed {
    if let Some(cause) = tls::refusal(&error) {
        return Failed::Unusable(cause);
    }
    match error.as_db_error().filter(|said| is_of_address(said.code())) {
        Some(said) => Failed::Unusable(said.message().to_owned()),
        None => Failed::from(error),
    }
}

/// Whether an error is about who asks for a connection, or for which database.
fn is_of_address(code: &SqlState) -> bool {
    code.code().starts_with("28") || *code == SqlState::UNDEFINED_DATABASE
}

fn by_code(said: &DbError) -> Failed {
    let code = said.code();
    let message = || match said.detail() {
        Some(detail) => format!("{} ({detail})", said.message()),
        None => said.message().to_owned(),
    };
    let lost = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        // A server that is promoted, or one that was a master before.
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    let conflicts = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    if lost.contains(code) || code.code().starts_with("08") {
        Failed::Lost(message())
    } else if conflicts.contains(code) {
        Failed::Conflict(StoreError::Locked(LOCK_TIMEOUT_SECONDS))
    } else {
        Failed::Final(match code {
            code if *code == SqlState::LOCK_NOT_AVAILABLE => {
                StoreError::Locked(LOCK_TIMEOUT_SECONDS)
            }
            code if *code == SqlState::QUERY_CANCELED => StoreError::TooSlow(STATEMENT_SECONDS),
            code if *code == SqlState::DISK_FULL => StoreError::Full,
            // What a row holds, or may not hold.
            code if code.code().starts_with("22") || code.code().starts_with("23") => {
                StoreError::Refused(message())
            }
            _ => StoreError::Disk(message()),
        })
    }
}

/// What an error says, with what is behind it.
fn with_causes(error: &tokio_postgres::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !said.contains(&more) {
            said += &format!(": {more}");
        }
        cause = error.source();
    }
    said
}

/// That the store holds something that can't be read.
pub(super) fn unreadable<E: Display>(what: &'static str) -> impl Fn(E) -> StoreError {
    move |error| StoreError::Unreadable { what, cause: error.to_string() }
}
