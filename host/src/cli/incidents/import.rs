//! Importing a file, or standard input, with a progress bar where it is long.

use crate::cli::exit::Failure;
use crate::cli::progress;
use crate::incidents::Store;
use crate::incidents::import::{CsvRows, ImportSummary, JsonLines, Map};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// Imports a file: CSV with a map, JSON Lines without one; `-` is standard input.
pub(in crate::cli) fn import_file(
    store: &dyn Store,
    file: &Path,
    map: Option<&Path>,
) -> Result<ImportSummary, Failure> {
    if file == Path::new("-") {
        if map.is_some() {
            let message = "standard input is read as JSON Lines; give the CSV as a file";
            return Err(Failure::usage(message));
        }
        let imported = store.import(&mut JsonLines::new(io::stdin().lock(), &mut |_bytes| ()));
        return imported.map_err(|error| named("standard input", error.into()));
    }
    let map = map.map(read_map).transpose()?;
    let (opened, size) = open(file).map_err(|error| unreadable(file, &error))?;
    let bar = progress::bytes(size);
    let mut progress = |bytes| bar.set_position(bytes);
    let imported = match &map {
        None => store.import(&mut JsonLines::new(BufReader::new(opened), &mut progress)),
        Some(map) => CsvRows::new(BufReader::new(opened), map, &mut progress)
            .and_then(|mut rows| store.import(&mut rows)),
    };
    bar.finish_and_clear();
    imported.map_err(|error| named(&file.display().to_string(), error.into()))
}

/// Opens a file and tells its size.
fn open(file: &Path) -> io::Result<(File, u64)> {
    let opened = File::open(file)?;
    let facts = opened.metadata()?;
    if facts.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    Ok((opened, facts.len()))
}

fn read_map(file: &Path) -> Result<Map, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    Map::parse(&text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} can't be read: {error}", file.display()))
}

fn named(name: &str, failure: Failure) -> Failure {
    Failure { message: format!("{name}: {}", failure.message), ..failure }
}
