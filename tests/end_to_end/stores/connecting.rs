//! Connecting to a database that asks for a password.

use playdock_tests::{Finished, PASSWORD, Playdock, PostgresDatabase, PostgresServer};
use std::os::unix::fs::PermissionsExt;

/// Lists the sites of a store, with these variables in the environment.
fn list(playdock: &Playdock, url: &str, variables: &[(&str, &str)]) -> Finished {
    let mut command = playdock.command(&["incidents", "list", "-vvv", "--db", url]);
    for name in ["PGPASSWORD", "PGPASSFILE"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let finished: Finished = command.output().expect("the program runs").into();
    assert!(!format!("{finished:?}").contains(PASSWORD), "{finished:?}");
    finished
}

fn refused(playdock: &Playdock, url: &str, variables: &[(&str, &str)], why: &str) {
    let finished = list(playdock, url, variables);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.errors.contains(why), "{finished:?}");
}

#[test]
fn a_password_comes_from_the_url_the_environment_or_a_file() {
    let playdock = Playdock::new();
    let database: PostgresDatabase = PostgresServer::shared().database();
    let with_password = database.tcp_url(Some(PASSWORD));
    let without = database.tcp_url(None);
    let file = playdock.file("passwords", format!("127.0.0.1:*:*:playdock:{PASSWORD}\n"));
    let passwords = file.to_str().expect("it is text");
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&file, permissions).expect("it is ours");
    };
    mode(0o600);
    for (url, variables) in [
        (&with_password, &[][..]),
        (&with_password, &[("PGPASSWORD", "another")]),
        (&without, &[("PGPASSWORD", PASSWORD)]),
        (&without, &[("PGPASSFILE", passwords)]),
        (&without, &[("PGPASSWORD", PASSWORD), ("PGPASSFILE", "no such file")]),
    ] {
        let finished = list(&playdock, url, variables);
        assert_eq!(finished.code, Some(0), "{variables:?}: {finished:?}");
    }
    let home = playdock.folder().join("home");
    std::fs::create_dir_all(&home).expect("a folder can be made");
    std::fs::copy(&file, home.join(".pgpass")).expect("it can be copied");
    assert_eq!(list(&playdock, &without, &[]).code, Some(0));
    std::fs::remove_file(home.join(".pgpass")).expect("it can be removed");

    refused(&playdock, &without, &[], "password");
    refused(&playdock, &without, &[("PGPASSWORD", "another")], "password authentication failed");
    let named = format!("playdock: the store {without} can't be opened: password");
    refused(&playdock, &without, &[("PGPASSWORD", "another")], &named);
    let nowhere = format!("{without}_nowhere");
    let named = format!("the store {nowhere} can't be opened: database ");
    refused(&playdock, &nowhere, &[("PGPASSWORD", PASSWORD)], &named);
    refused(&playdock, &without, &[("PGPASSFILE", "no such file")], "no such file");
    mode(0o644);
    refused(&playdock, &without, &[("PGPASSFILE", passwords)], "chmod 600");
}
