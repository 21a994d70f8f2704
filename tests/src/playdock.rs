//! Running the program in a folder of its own.

use crate::build::{library, program};
#[cfg(target_os = "linux")]
use crate::postgres_server::{PostgresDatabase, PostgresServer};
use playdock_host::incidents::{Store, StoreLocation};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// A folder, the program to run in it, and a store: in the folder, or in a database.
pub struct Playdock {
    folder: TempDir,
    plugins: Vec<PathBuf>,
    #[cfg(target_os = "linux")]
    database: Option<PostgresDatabase>,
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub output: String,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Playdock {
    /// A new folder, with the command that the project ships.
    pub fn new() -> Playdock {
        Playdock::with_plugins(&["close_incident_in_bulk"])
    }

    /// A new folder, with these libraries.
    pub fn with_plugins(names: &[&str]) -> Playdock {
        Playdock {
            folder: tempfile::tempdir().expect("a folder can be made"),
            plugins: names.iter().map(|name| library(name)).collect(),
            #[cfg(target_os = "linux")]
            database: crate::kinds::is_in_postgres().then(|| PostgresServer::shared().database()),
        }
    }

    /// A new folder, with the command that the project ships, and its store in this database.
    #[cfg(target_os = "linux")]
    pub fn in_database(database: PostgresDatabase) -> Playdock {
        Playdock { database: Some(database), ..Playdock::new() }
    }

    /// The database that the store is in; `None` where it is in the folder.
    #[cfg(target_os = "linux")]
    pub fn database(&self) -> Option<&PostgresDatabase> {
        self.database.as_ref()
    }

    /// Whether the store is a file in the folder.
    pub(crate) fn is_in_a_file(&self) -> bool {
        self.url().is_none()
    }

    /// Where the store is, if not in the folder.
    fn url(&self) -> Option<String> {
        #[cfg(target_os = "linux")]
        return self.database.as_ref().map(PostgresDatabase::url);
        #[cfg(not(target_os = "linux"))]
        return None;
    }

    /// Opens the store in this process.
    pub fn open(&self) -> Arc<dyn Store> {
        let file = || self.folder().join("playdock.db").into_os_string();
        let location = self.url().map_or_else(file, Into::into);
        let location = StoreLocation::parse(&location).expect("it is a place for a store");
        location.open().expect("the store can be opened")
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plugins that the program gets.
    pub fn plugins(&self) -> &[PathBuf] {
        &self.plugins
    }

    /// Lets the plugins be copies of their own, in the folder.
    pub fn copy_plugins(&mut self) {
        for plugin in &mut self.plugins {
            let copy = self.folder.path().join(plugin.file_name().expect("it is a file"));
            std::fs::copy(&*plugin, &copy).expect("it can be copied");
            *plugin = copy;
        }
    }

    /// The store in the folder, a file of SQLite, opened beside the program.
    pub fn store(&self) -> rusqlite::Connection {
        crate::stores::open(&self.folder().join("playdock.db"))
    }

    /// Writes a file in the folder and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, content).expect("a file can be written");
        path
    }

    /// Imports lines of JSON.
    pub fn import(&self, lines: &str) {
        let path = self.file("import.jsonl", lines);
        let finished = self.run(&["incidents", "import", &path.to_string_lossy()]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }

    /// The program with these arguments, ready to run in the folder, which is its home too. It
    /// runs any plugin.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.folder()).args(arguments);
        let home = self.folder().join("home");
        command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join("configuration"));
        command.env("PLAYDOCK_POLICY", "any").env_remove("PLAYDOCK_DB");
        if let Some(url) = self.url() {
            command.env("PLAYDOCK_DB", url);
        }
        for plugin in &self.plugins {
            command.arg("--plugin").arg(plugin);
        }
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with_input(arguments, b"")
    }

    /// Runs the program to its end, with something on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Finished {
        let mut child = self.start(self.command(arguments));
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let input = input.to_vec();
        // It may end without reading its input, and its output may fill the pipe meanwhile.
        let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("the program can be waited for");
        writing.join().expect("the input is written");
        output.into()
    }

    /// Starts a command with pipes.
    pub fn start(&self, mut command: Command) -> Child {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Runs `invoke CloseIncidentInBulk` in the site Security Operations with JSON output.
    pub fn close(&self, parameters: &Value, more: &[&str]) -> Finished {
        self.invoke("CloseIncidentInBulk", parameters, more)
    }

    /// Runs `invoke` of a command in the site Security Operations with JSON output.
    pub fn invoke(&self, command: &str, parameters: &Value, more: &[&str]) -> Finished {
        let mut arguments = vec!["invoke", command, "--params", "-", "--output", "json"];
        arguments.extend(["--site", "Security Operations"]);
        arguments.extend(more);
        self.run_with_input(&arguments, parameters.to_string().as_bytes())
    }
}

impl Default for Playdock {
    fn default() -> Playdock {
        Playdock::new()
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Finished {
        Finished {
            code: output.status.code(),
            output: String::from_utf8(output.stdout).expect("output is UTF-8"),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Finished {
    /// The answer, which is all of the output.
    pub fn answer(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
