//! The frames between a host and its worker: a length, a kind, and that many bytes.

use std::io::{self, IoSlice, Read, Write};

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Host to worker: a request for the library.
    Request = 1,
    /// Host to worker: the answer to a call.
    Reply = 2,
    /// Host to worker: the command is asked to stop. It has no bytes.
    Cancel = 3,
    /// Worker to host: the library is open; which protection could not be had, line by line.
    Ready = 16,
    /// Worker to host: the library can't be opened, and why.
    NotReady = 17,
    /// Worker to host: a call of the command.
    Call = 18,
    /// Worker to host: a record for the log: its level in one byte, the target, NUL, the message.
    Log = 19,
    /// Worker to host: the library's response.
    Response = 20,
}

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        const KINDS: [Kind; 8] = [
            Kind::Request,
            Kind::Reply,
            Kind::Cancel,
            Kind::Ready,
            Kind::NotReady,
            Kind::Call,
            Kind::Log,
            Kind::Response,
        ];
        KINDS.into_iter().find(|kind| *kind as u8 == byte)
    }
}

const HEADER: usize = 5;
/// How much memory is reserved at once for a frame that is being read.
const MOST_AT_ONCE: usize = 64 << 10;

/// Writes a frame.
pub(super) fn write(out: &mut impl Write, kind: Kind, bytes: &[u8]) -> io::Result<()> {
    let length =
        u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4] = kind as u8;
    // Both in one system call, as long as the socket takes them.
    let pieces = [IoSlice::new(&header), IoSlice::new(bytes)];
    let mut written = loop {
        match out.write_vectored(&pieces) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => break written?,
        }
    };
    if written < HEADER {
        out.write_all(&header[written..])?;
        written = HEADER;
    }
    out.write_all(&bytes[written - HEADER..])
}

/// Reads a frame of at most so many bytes into `bytes`, and returns its kind.
pub(super) fn read(input: &mut impl Read, bytes: &mut Vec<u8>, largest: usize) -> io::Result<Kind> {
    let mut header = [0; HEADER];
    input.read_exact(&mut header)?;
    let [a, b, c, d, kind] = header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let kind = Kind::of(kind).ok_or_else(|| io::Error::other("it sent what is no frame"))?;
    if length > largest {
        return Err(io::Error::other(format!(
            "it sent a message of {length} bytes, and {largest} is the most"
        )));
    }
    bytes.clear();
    // As it comes: a length alone makes nobody reserve memory.
    let mut read = 0;
    while read < length {
        let room = (read + MOST_AT_ONCE).min(length);
        bytes.resize(room, 0);
        match input.read(&mut bytes[read..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        bytes.truncate(read);
    }
    Ok(kind)
}

/// What was read of a line beyond what was asked for: small frames come whole in one system call.
pub(super) struct ReadAhead {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

/// More than a frame has that isn't about many incidents.
const READ_AHEAD: usize = 8 << 10;

impl ReadAhead {
    pub(super) fn new() -> ReadAhead {
        ReadAhead { bytes: vec![0; READ_AHEAD].into(), start: 0, end: 0 }
    }

    /// Whether nothing is left of what was read.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// What is left, followed by what `input` has.
    pub(super) fn then<'a, R: Read>(&'a mut self, input: R) -> impl Read + use<'a, R> {
        Ahead { ahead: self, input }
    }
}

struct Ahead<'a, R> {
    ahead: &'a mut ReadAhead,
    input: R,
}

impl<R: Read> Read for Ahead<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let ahead = &mut *self.ahead;
        if ahead.is_empty() {
            if bytes.len() >= READ_AHEAD {
                return self.input.read(bytes);
            }
            (ahead.start, ahead.end) = (0, self.input.read(&mut ahead.bytes)?);
        }
        let count = bytes.len().min(ahead.end - ahead.start);
        bytes[..count].copy_from_slice(&ahead.bytes[ahead.start..ahead.start + count]);
        ahead.start += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut pipe = Vec::new();
        write(&mut pipe, Kind::Call, b"abc").unwrap();
        write(&mut pipe, Kind::Cancel, b"").unwrap();
        let (mut input, mut bytes) = (&pipe[..], Vec::new());
        assert_eq!(read(&mut input, &mut bytes, 3).unwrap(), Kind::Call);
        assert_eq!(bytes, b"abc");
        assert_eq!(read(&mut input, &mut bytes, 3).unwrap(), Kind::Cancel);
        assert!(bytes.is_empty());
    }

    #[test]
    fn what_was_read_ahead_comes_first() {
        let (mut pipe, mut long) = (Vec::new(), vec![7; 3 * READ_AHEAD]);
        write(&mut pipe, Kind::Call, b"abc").unwrap();
        write(&mut pipe, Kind::Cancel, b"").unwrap();
        write(&mut pipe, Kind::Response, &long).unwrap();
        let (mut ahead, mut input, mut bytes) = (ReadAhead::new(), &pipe[..], Vec::new());
        for (kind, content) in [(Kind::Call, &b"abc"[..]), (Kind::Cancel, b"")] {
            assert_eq!(read(&mut ahead.then(&mut input), &mut bytes, 9).unwrap(), kind);
            assert_eq!(bytes, content);
            assert!(!ahead.is_empty());
        }
        let kind = read(&mut ahead.then(&mut input), &mut bytes, usize::MAX).unwrap();
        assert_eq!((kind, ahead.is_empty()), (Kind::Response, true));
        long.truncate(bytes.len());
        assert!(bytes == long && bytes.len() == 3 * READ_AHEAD);
    }

    #[test]
    fn what_is_too_large_cut_off_or_no_frame_is_an_error() {
        let mut pipe = Vec::new();
        write(&mut pipe, Kind::Call, b"abc").unwrap();
        let mut bytes = Vec::new();
        assert!(read(&mut &pipe[..], &mut bytes, 2).unwrap_err().to_string().contains("3 bytes"));
        for length in 0..pipe.len() {
            assert!(read(&mut &pipe[..length], &mut bytes, 9).is_err(), "{length}");
        }
        pipe[4] = 99;
        assert!(read(&mut &pipe[..], &mut bytes, 9).is_err());
    }
}
