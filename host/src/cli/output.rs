//! Standard output, which carries answers alone, and what is said where it can't.

use super::exit::Failure;
use serde::Serialize;
use std::io::{self, BufWriter, ErrorKind, Write};

/// How many bytes go to standard output at once.
const BUFFER: usize = 256 << 10;

/// Writes to standard output. A reader that has left, as `head` does, has what it wanted: that is
/// no failure.
pub(super) fn write(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let written = write_to(&mut BufWriter::with_capacity(BUFFER, io::stdout().lock()), fill);
    written.map_err(|error| Failure::output(&error))
}

/// Writes a value as one line of JSON to standard output.
pub(super) fn write_json(value: &impl Serialize) -> Result<(), Failure> {
    write(|out| json_line(out, value))
}

/// Writes a value as one line of JSON.
pub(super) fn json_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

fn write_to(
    out: &mut dyn Write,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match fill(out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails every time it is written to.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_a_full_disk_is_one() {
        let line = |out: &mut dyn Write| json_line(out, &["a"]);
        assert!(write_to(&mut Broken(ErrorKind::BrokenPipe), line).is_ok());
        let error = write_to(&mut Broken(ErrorKind::StorageFull), line).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}
