//! A worker on systems other than Linux: there is no sandbox to enter, and a thread waits for what
//! the host sends, so that the worker ends when the host is gone, whatever the command does.

use super::super::frames::{self, Kind};
use super::super::protection::Protection;
use super::{Beginning, NamedLibrary, Sealed};
use std::env::ArgsOs;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

/// Takes what the host gave. The arguments are the name of the library, the path of its private
/// copy and its digest, if there is one.
pub(super) fn begin(arguments: ArgsOs) -> io::Result<Option<Beginning>> {
    let (incoming, outgoing) = take_streams()?;
    let arguments: Vec<_> = arguments.collect();
    let library = match &arguments[..] {
        [name, copy, digest] => {
            let sealed = Sealed::open(copy.as_ref(), &digest.to_string_lossy());
            let name = PathBuf::from(name);
            sealed
                .map(|sealed| Some(NamedLibrary { sealed, name }))
                .map_err(|error| error.to_string())
        }
        _ => Ok(None),
    };
    let begun = library.map(|library| (Protection::none(), library));
    Ok(Some(Beginning { line: Line::new(incoming, outgoing), begun }))
}

/// The processor's time isn't limited here; deadlines are the host's.
pub(super) fn limit_processor_time() {}

/// Takes the ends of the line out of the places of the standard streams, and puts nothing in their
/// place, so that nobody prints onto it.
#[cfg(unix)]
fn take_streams() -> io::Result<(File, File)> {
    use std::os::fd::AsFd;
    let socket = rustix::stdio::stdin().try_clone_to_owned()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    Ok((socket.try_clone()?.into(), socket.into()))
}

/// Takes the ends of the line out of the places of the standard streams, and puts nothing in their
/// place, so that nobody prints onto it.
#[cfg(windows)]
fn take_streams() -> io::Result<(File, File)> {
    use std::os::windows::io::{AsHandle, IntoRawHandle};
    use windows_sys::Win32::System::Console::{STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle};
    let incoming = io::stdin().as_handle().try_clone_to_owned()?;
    let outgoing = io::stdout().as_handle().try_clone_to_owned()?;
    for place in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE] {
        let null = File::options().read(true).write(true).open("NUL")?.into_raw_handle();
        // SAFETY: the handle is open, and is never closed from here on.
        if unsafe { SetStdHandle(place, null) } == 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok((incoming.into(), outgoing.into()))
}

/// The line to the host.
pub(super) struct Line {
    received: Receiver<(Kind, Vec<u8>)>,
    /// How many frames were received and not read yet.
    waiting: Arc<AtomicUsize>,
    outgoing: File,
}

impl Line {
    fn new(mut incoming: File, outgoing: File) -> Line {
        let (found, received) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let more = waiting.clone();
        std::thread::spawn(move || {
            loop {
                let mut bytes = Vec::new();
                let Ok(kind) = frames::read(&mut incoming, &mut bytes, usize::MAX) else {
                    // The host is gone, and with it whatever this process was for.
                    std::process::exit(0);
                };
                more.fetch_add(1, Ordering::SeqCst);
                if found.send((kind, bytes)).is_err() {
                    return;
                }
            }
        });
        Line { received, waiting, outgoing }
    }

    pub(super) fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<Kind> {
        let received = self.received.recv().map_err(|_| io::ErrorKind::UnexpectedEof)?;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        *bytes = received.1;
        Ok(received.0)
    }

    pub(super) fn write(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        frames::write(&mut self.outgoing, kind, bytes)
    }

    /// Whether there is something to read.
    pub(super) fn has_something(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }
}
