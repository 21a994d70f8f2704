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
    let read = input.take(length as u64).read_to_end(bytes)?;
    if read < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(kind)
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
