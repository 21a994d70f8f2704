//! The rows of a CSV file, each with the line on which it begins.
//!
//! It knows nothing of what the columns mean.

use std::io::{Read, Seek};
use std::mem;

use csv::{ByteRecord, Position, ReaderBuilder, StringRecord, Terminator};

use super::tailed::{self, Tailed};
use crate::incidents::import::LINES_PER_REPORT;
use crate::incidents::import::error::{ImportError, LineProblem};

/// A CSV file at one of its rows.
pub(super) struct NumberedRows<'p, R> {
    /// The header.
    pub(super) header: StringRecord,
    /// The present row, which has as many cells as the header.
    pub(super) row: StringRecord,
    /// The line on which it begins.
    pub(super) line: u64,
    /// Which row it is; the first after the header is 1.
    pub(super) count: u64,
    reader: csv::Reader<Tailed<R>>,
    first_row: Position,
    size: u64,
    bytes_before: u64,
    progress: &'p mut dyn FnMut(u64),
}

impl<'p, R: Read + Seek> NumberedRows<'p, R> {
    /// Reads the header.
    pub(super) fn new(reader: R, progress: &'p mut dyn FnMut(u64)) -> Result<Self, ImportError> {
        let (reader, size) = Tailed::new(reader).map_err(ImportError::Read)?;
        // A CR before the LF is left to its cell, which is trimmed: taken as the end of the row, it
        // would leave the LF to the next row and make every line number wrong by one.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(reader);
        let mut rows = Self {
            header: StringRecord::new(),
            row: StringRecord::new(),
            line: 1,
            count: 0,
            reader,
            first_row: Position::new(),
            size,
            bytes_before: 0,
            progress,
        };
        rows.read()?;
        rows.header = mem::take(&mut rows.row);
        rows.first_row = rows.reader.position().clone();
        Ok(rows)
    }

    /// Goes back to the place before the first row.
    pub(super) fn restart(&mut self) -> Result<(), ImportError> {
        self.bytes_before = self.bytes_read();
        self.count = 0;
        self.reader.seek(self.first_row.clone()).map_err(read_error)
    }

    /// Goes to the next row; false at the end of the file.
    pub(super) fn advance(&mut self) -> Result<bool, ImportError> {
        loop {
            let more = self.read()?;
            self.count += 1;
            if !more || self.count.is_multiple_of(LINES_PER_REPORT) {
                let halves = self.bytes_before + self.bytes_read();
                (self.progress)(halves / 2);
            }
            let (given, header) = (self.row.len() as u64, self.header.len() as u64);
            let blank = given == 1 && self.row.iter().all(|cell| cell.trim().is_empty());
            if !more || given == header && !blank {
                return Ok(more);
            }
            if !blank {
                let problem = LineProblem::Ragged { given, header };
                return Err(ImportError::Line { line: self.line, problem });
            }
        }
    }

    /// Reads whatever stands next in the file; false at its end.
    fn read(&mut self) -> Result<bool, ImportError> {
        let mut row = mem::take(&mut self.row).into_byte_record();
        let more = self.reader.read_byte_record(&mut row).map_err(read_error)?;
        let at_end = self.reader.position().byte() >= tailed::end(self.size);
        self.line = self.first_line(&row, at_end);
        if more && at_end && !tailed::is_tail(row.as_slice()) {
            return Err(ImportError::Line { line: self.line, problem: LineProblem::UnclosedQuote });
        }
        if at_end {
            row.clear();
        }
        self.row = StringRecord::from_byte_record(row)
            .map_err(|_| ImportError::Line { line: self.line, problem: LineProblem::NotUtf8 })?;
        Ok(!at_end)
    }

    /// The line on which the row begins that was just read. What the reader calls its position is
    /// that of the blank lines before it, so this counts back from its end.
    fn first_line(&self, row: &ByteRecord, at_end: bool) -> u64 {
        let breaks_within = row.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let break_after = u64::from(!at_end);
        let end = self.reader.position();
        end.line().saturating_sub(breaks_within + break_after)
    }

    fn bytes_read(&self) -> u64 {
        self.reader.position().byte().min(self.size)
    }
}

fn read_error(error: csv::Error) -> ImportError {
    ImportError::Read(error.into())
}
