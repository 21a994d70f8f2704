//! Servers of PostgreSQL for the tests: one for each process of tests, and more for tests that stop
//! theirs. Each has a folder of its own, is durable as by default, and is gone when the tests are,
//! however they end.

use postgres::{Client, NoTls};
use std::fs::{File, Permissions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The role that may do anything; stores are those of another one.
const SUPERUSER: &str = "superuser";
/// The role that stores belong to.
const OWNER: &str = "playdock";
/// The password of the role that databases belong to, which is asked for over TCP.
pub const PASSWORD: &str = "s3cret";
/// Whom a server runs as where the tests run as root, whom PostgreSQL refuses: nobody.
pub(crate) const NOBODY: u32 = 65_534;

/// A server of PostgreSQL.
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
    /// Stops the server and removes the folder once its standard input is closed, which it is when
    /// this process is gone.
    supervisor: Child,
    databases: AtomicUsize,
    /// Those that are empty again: making one takes much longer than emptying it.
    empty: Mutex<Vec<String>>,
}

/// A database of its own, empty at first.
pub struct PostgresDatabase {
    server: Arc<PostgresServer>,
    name: String,
}

impl PostgresServer {
    /// The server that the tests of this process share.
    pub fn shared() -> Arc<PostgresServer> {
        static SHARED: OnceLock<Arc<PostgresServer>> = OnceLock::new();
        SHARED.get_or_init(|| PostgresServer::start(&[])).clone()
    }

    /// Starts a server, with these settings beside those that all have.
    pub fn start(settings: &[&str]) -> Arc<PostgresServer> {
        PostgresServer::start_with(settings, &[])
    }

    /// Starts a server that offers TLS, with a certificate and its key as PEM.
    pub fn start_with_tls(certificate: &str, key: &str) -> Arc<PostgresServer> {
        let settings = ["ssl = on", "log_connections = on"];
        PostgresServer::start_with(&settings, &[("server.crt", certificate), ("server.key", key)])
    }

    fn start_with(settings: &[&str], files: &[(&str, &str)]) -> Arc<PostgresServer> {
        let folder = tempfile::Builder::new().prefix("playdock-postgres-").tempdir();
        let folder = folder.expect("a folder can be made").keep();
        // Whoever runs the tests reaches the socket, which lies in it.
        std::fs::set_permissions(&folder, Permissions::from_mode(0o711)).expect("it is ours");
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root may do that");
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a port is free").port();
        let stop = "read -r _; \"$1\" stop --pgdata data --mode immediate --silent; rm -rf \"$2\"";
        let mut supervisor = command("sh".as_ref(), &folder);
        supervisor.args(["-c", stop, "sh"]).arg(binary("pg_ctl")).arg(&folder);
        let supervisor = supervisor.stdin(Stdio::piped()).spawn().expect("a shell starts");
        let (databases, empty) = (AtomicUsize::default(), Mutex::default());
        let server = PostgresServer { folder, port, supervisor, databases, empty };
        server.make(settings);
        for (name, content) in files {
            server.add_file(name, content);
        }
        server.begin();
        let mut client = server.superuser("postgres");
        let role = format!("CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'");
        client.batch_execute(&role).expect("a role can be made");
        Arc::new(server)
    }

    fn make(&self, settings: &[&str]) {
        let mut initdb = command(&binary("initdb"), &self.folder);
        initdb.args(["--pgdata", "data", "--username", SUPERUSER, "--encoding", "UTF8"]);
        initdb.args(["--locale", "C.UTF-8", "--auth-local", "trust"]);
        // Only the first files need not last.
        initdb.args(["--auth-host", "scram-sha-256", "--no-sync"]);
        self.run(initdb);
        let common = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n\
             max_connections = 300\n",
            self.port,
            self.folder.display()
        );
        let settings: String = settings.iter().map(|setting| format!("{setting}\n")).collect();
        let file = File::options().append(true).open(self.folder.join("data/postgresql.conf"));
        let written = file.and_then(|mut file| write!(file, "{common}{settings}"));
        written.expect("the settings can be written");
    }

    /// Puts a file among its data, which nobody else may read.
    fn add_file(&self, name: &str, content: &str) {
        let path = self.folder.join("data").join(name);
        std::fs::write(&path, content).expect("a file can be made");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
        if is_root() {
            chown(&path, Some(NOBODY), Some(NOBODY)).expect("root may do that");
        }
    }

    /// Starts it, when it is stopped.
    pub fn begin(&self) {
        self.control(&["start", "--wait", "--timeout", "120"]);
    }

    /// Stops it as a power cut would, but for what the system holds for it.
    pub fn stop(&self) {
        self.control(&["stop", "--mode", "immediate"]);
    }

    /// Stops it as a power cut would and starts it again.
    pub fn restart(&self) {
        self.control(&["restart", "--mode", "immediate", "--wait", "--timeout", "120"]);
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).expect("the log can be read")
    }

    /// The folder that it is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A connection of whoever may do anything.
    pub fn superuser(&self, database: &str) -> Client {
        let host = self.folder.display();
        let place = format!("host={host} port={} user={SUPERUSER} dbname={database}", self.port);
        Client::connect(&place, NoTls).expect("the server can be reached")
    }

    /// An empty database.
    pub fn database(self: &Arc<PostgresServer>) -> PostgresDatabase {
        let empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let name = empty.unwrap_or_else(|| self.make_database());
        PostgresDatabase { server: self.clone(), name }
    }

    fn make_database(&self) -> String {
        self.make_database_in("pg_default")
    }

    /// Makes a database whose files are in a tablespace; returns its name.
    pub(crate) fn make_database_in(&self, tablespace: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = format!("CREATE DATABASE {name} OWNER {OWNER} TABLESPACE {tablespace}");
        self.superuser("postgres").batch_execute(&made).expect("a database can be made");
        name
    }

    fn control(&self, arguments: &[&str]) {
        let mut control = command(&binary("pg_ctl"), &self.folder);
        control.args(arguments).args(["--pgdata", "data", "--log", "log", "--silent"]);
        self.run(control);
    }

    /// Runs a command to its end, in the folder of the server.
    pub(crate) fn run(&self, mut command: Command) {
        // Into a file, since a server that it starts has the same outputs, and keeps them.
        let said = File::create(self.folder.join("said")).expect("a file can be made");
        command.stderr(said.try_clone().expect("a file can be shared")).stdout(said);
        let status = command.stdin(Stdio::null()).status();
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            let said = std::fs::read_to_string(self.folder.join("said")).unwrap_or_default();
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            panic!("{command:?}: {status:?}\n{said}\n{log}");
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

impl PostgresDatabase {
    /// A database of a server, by its name.
    pub(crate) fn of(server: Arc<PostgresServer>, name: String) -> PostgresDatabase {
        PostgresDatabase { server, name }
    }

    /// Its URL, for the role that it belongs to.
    pub fn url(&self) -> String {
        let socket = self.server.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://{OWNER}@{socket}:{}/{}", self.server.port, self.name)
    }

    /// Its URL over TCP, where a password is asked for: this one, or none.
    pub fn tcp_url(&self, password: Option<&str>) -> String {
        let password = password.map(|password| format!(":{password}")).unwrap_or_default();
        format!("postgres://{OWNER}{password}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// A copy of it, written to the disk.
    pub fn copy(&self) -> PostgresDatabase {
        let server = &self.server;
        let mut client = server.superuser("postgres");
        let end =
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1";
        client.execute(end, &[&self.name]).expect("connections can be ended");
        let name = format!("test_{}", server.databases.fetch_add(1, Ordering::Relaxed));
        let copy = format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {}", self.name);
        client.batch_execute(&copy).expect("a database can be copied");
        client.batch_execute("CHECKPOINT").expect("it can be written");
        PostgresDatabase { server: server.clone(), name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is in.
    pub fn server(&self) -> &Arc<PostgresServer> {
        &self.server
    }

    /// A connection to it, as the role that it belongs to, which finds the tables of a store.
    pub fn client(&self) -> Client {
        self.connector()()
    }

    /// What makes such connections.
    pub(crate) fn connector(&self) -> impl Fn() -> Client + Send + Sync + use<> {
        let (host, port) = (self.server.folder.display(), self.server.port);
        let place = format!(
            "host={host} port={port} user={OWNER} dbname={} options='-c search_path=playdock'",
            self.name
        );
        move || Client::connect(&place, NoTls).expect("the database can be reached")
    }
}

impl Drop for PostgresDatabase {
    /// Empties it for the next test. One that can't be emptied, say since its server is stopped, is
    /// given to none.
    fn drop(&mut self) {
        let (host, port, name) = (self.server.folder.display(), self.server.port, &self.name);
        let place = format!("host={host} port={port} user={SUPERUSER} dbname={name}");
        let emptied = Client::connect(&place, NoTls).and_then(|mut client| {
            client.batch_execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid();
                 DROP SCHEMA IF EXISTS playdock CASCADE",
            )
        });
        if emptied.is_ok() {
            let mut empty = self.server.empty.lock().unwrap_or_else(PoisonError::into_inner);
            empty.push(std::mem::take(&mut self.name));
        }
    }
}

/// A command that runs in a folder as an ordinary user, and that Ctrl-C doesn't reach.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C.UTF-8").process_group(0);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A program of PostgreSQL: in the path, or where Debian puts those of its latest version.
pub(crate) fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut versions: Vec<PathBuf> = versions.map(|version| version.path()).collect();
        versions.sort_by_key(|version| {
            let number = version.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
            std::cmp::Reverse(number)
        });
        folders.extend(versions.iter().map(|version| version.join("bin")));
        let has_all = |folder: &PathBuf| {
            ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).exists())
        };
        let found = folders.into_iter().find(has_all);
        found.expect("PostgreSQL is not installed: on Debian, apt-get install postgresql")
    });
    folder.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_outlives_a_server_that_is_stopped_at_once_and_nothing_outlives_the_last()
    {
        let server = PostgresServer::start(&["log_statement = 'all'"]);
        let database = server.database();
        database.client().batch_execute("CREATE TABLE public.kept ()").expect("it is ours");
        server.restart();
        server.stop();
        server.begin();
        let kept = database.client().query("SELECT FROM public.kept", &[]);
        assert!(kept.expect("the table is there").is_empty());
        assert!(server.log().contains("CREATE TABLE public.kept"));
        let fsync = server.superuser("postgres").query_one("SHOW fsync", &[]);
        assert_eq!(fsync.expect("it is a setting").get::<_, &str>(0), "on");

        let folder = server.folder().to_owned();
        drop(database);
        drop(server);
        assert!(!folder.exists());
    }
}
