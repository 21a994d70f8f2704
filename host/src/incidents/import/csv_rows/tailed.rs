//! A CSV file with a tail of its own, by which its end is told from a quote that is still open.
//!
//! A reader of CSV takes the end of a file for the end of a quote too, and the rows that such a
//! quote swallowed would be a part of its cell. The tail is a row after the last one, unless a
//! quote is open: then it is within the cell.

use std::io::{self, Read, Seek, SeekFrom};

/// What is read after the end of the file: the end of its last line, and a row.
const TAIL: &[u8] = b"\nEND";

/// A file that is read with a tail.
pub(super) struct Tailed<R> {
    file: R,
    /// How many bytes of the tail are read.
    tail_read: usize,
}

impl<R: Read + Seek> Tailed<R> {
    /// The file at its beginning, and its size without the tail.
    pub(super) fn new(mut file: R) -> io::Result<(Self, u64)> {
        let size = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let tail_read = 0;
        Ok((Self { file, tail_read }, size))
    }
}

/// Whether a row that is read to the end of all is the tail by itself.
pub(super) fn is_tail(row: &[u8]) -> bool {
    TAIL.strip_prefix(b"\n") == Some(row)
}

/// The place after the tail of a file of this size.
pub(super) fn end(size: u64) -> u64 {
    size + TAIL.len() as u64
}

impl<R: Read> Read for Tailed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        let mut left = TAIL.get(self.tail_read..).unwrap_or_default();
        let read = left.read(buffer)?;
        self.tail_read += read;
        Ok(read)
    }
}

impl<R: Seek> Seek for Tailed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.tail_read = 0;
        self.file.seek(to)
    }
}
