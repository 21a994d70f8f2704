//! A server of PostgreSQL whose databases are on a small disk, that only it sees: a mount in a
//! namespace of its own, which is gone with it.

use crate::postgres_server::{NOBODY, PostgresDatabase, PostgresServer, binary, is_root};
use std::process::Command;

/// The tablespace, and the folder in that of the server, that the disk is mounted at.
const SMALL: &str = "small";

impl PostgresDatabase {
    /// A database of a server of its own, on a disk whose room can be limited; `None` where none
    /// can be made. What a server needs to start again after a crash is on another disk.
    pub fn on_disk_of_its_own() -> Option<PostgresDatabase> {
        if !is_root() || !Command::new("unshare").args(["--mount", "true"]).status().ok()?.success()
        {
            return None;
        }
        let server = PostgresServer::start(&[]);
        server.stop();
        let mut start = Command::new("unshare");
        start.current_dir(server.folder()).args(["--mount", "--propagation", "private"]);
        let script = "mkdir \"$0\" && mount -t tmpfs -o uid=\"$1\",gid=\"$1\" tmpfs \"$0\" \
            && exec setpriv --reuid \"$1\" --regid \"$1\" --clear-groups \
                \"$2\" start --wait --pgdata data --log log";
        start.args(["sh", "-c", script, SMALL, &NOBODY.to_string()]);
        start.arg(binary("pg_ctl"));
        server.run(start);
        let location = server.folder().join(SMALL);
        let tablespace = format!("CREATE TABLESPACE {SMALL} LOCATION '{}'", location.display());
        server.superuser("postgres").batch_execute(&tablespace).expect("it can be made");
        let name = server.make_database_in(SMALL);
        Some(PostgresDatabase::of(server, name))
    }
}

impl PostgresServer {
    /// Leaves so much room on the disk of [`PostgresDatabase::on_disk_of_its_own`].
    pub fn leave_room(&self, kibibytes: usize) {
        let file = std::fs::read_to_string(self.folder().join("data/postmaster.pid"));
        let file = file.expect("the server runs");
        let process = file.lines().next().expect("it is in the first line");
        let mut remount = Command::new("nsenter");
        let script = "used=$(df -k --output=used \"$0\" | tail -n 1) \
            && mount -o remount,size=$((used + $1))k \"$0\"";
        remount.args(["--mount", "--target", process, "sh", "-c", script]);
        remount.arg(self.folder().join(SMALL)).arg(kibibytes.to_string());
        self.run(remount);
    }
}
