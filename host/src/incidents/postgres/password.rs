//! The password of a connection whose URL has none: that of the environment, or of the file of
//! passwords that the clients of PostgreSQL share.

use std::path::{Path, PathBuf};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The port of a URL that names none.
const PORT: u16 = 5432;

/// The password for a connection: `PGPASSWORD`, or else the first line that fits in the file that
/// `PGPASSFILE` names, or in `.pgpass` in the user's folder.
///
/// # Errors
///
/// A sentence: the file can be read by others, or can't be read.
pub(super) fn password(config: &Config) -> Result<Option<String>, String> {
    if let Ok(password) = std::env::var("PGPASSWORD") {
        return Ok(Some(password));
    }
    match std::env::var_os("PGPASSFILE") {
        Some(file) => in_file(&PathBuf::from(file), config),
        None => match std::env::home_dir().map(|home| home.join(".pgpass")) {
            Some(file) if file.exists() => in_file(&file, config),
            _ => Ok(None),
        },
    }
}

fn in_file(file: &Path, config: &Config) -> Result<Option<String>, String> {
    let unreadable =
        |error| format!("the file of passwords {} can't be read: {error}", file.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
            let name = file.display();
            return Err(format!("others can read the file of passwords {name}: chmod 600 {name}"));
        }
    }
    let lines = std::fs::read_to_string(file).map_err(unreadable)?;
    Ok(lines.lines().find_map(|line| of_line(line, config)))
}

/// The password of a line `HOST:PORT:DATABASE:USER:PASSWORD`, if it is for this connection; `*`
/// stands for anything, and a backslash before `:` and before itself.
fn of_line(line: &str, config: &Config) -> Option<String> {
    let mut parts = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = parts.len() - 1;
        match character {
            '#' if parts == [""] => return None,
            '\\' => parts[last].extend(characters.next()),
            ':' if parts.len() < 5 => parts.push(String::new()),
            other => parts[last].push(other),
        }
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(parts).ok()?;
    let fits = |part: &str, value: &str| part == "*" || part == value;
    let user_of_url = config.get_user().unwrap_or_default();
    // As the server takes it where the URL says nothing.
    let database_of_url = config.get_dbname().unwrap_or(user_of_url);
    let mut hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.to_string_lossy().into_owned(),
    });
    let port_of_url = config.get_ports().first().copied().unwrap_or(PORT).to_string();
    // Whichever of several is reached, it is told no password of another.
    let fitting = hosts.all(|it| fits(&host, &it))
        && fits(&port, &port_of_url)
        && fits(&database, database_of_url)
        && fits(&user, user_of_url);
    fitting.then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Config {
        url.parse().unwrap()
    }

    #[test]
    fn the_line_of_the_connection_has_its_password() {
        let jane = config("postgres://jane@db.example/soar");
        for (line, password) in [
            ("db.example:5432:soar:jane:a:b", Some("a:b")),
            ("*:*:*:*:a\\:b\\\\", Some("a:b\\")),
            ("db.example:5433:soar:jane:a", None),
            ("other:*:*:*:a", None),
            ("*:*:other:*:a", None),
            ("*:*:*:joe:a", None),
            ("#*:*:*:*:a", None),
            ("*:*:*:*", None),
            ("", None),
        ] {
            assert_eq!(of_line(line, &jane).as_deref(), password, "{line}");
        }
        let several = config("postgres://jane@db.example,other/soar");
        assert_eq!(of_line("db.example:*:*:*:a", &several), None);
        assert_eq!(of_line("*:*:*:*:a", &several).as_deref(), Some("a"));
        let socket = config("postgres://jane@%2Frun%2Fa:5433");
        assert_eq!(of_line("/run/a:5433:jane:jane:é", &socket).as_deref(), Some("é"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_and_the_first_line_that_fits_counts() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passwords");
        let jane = config("postgres://jane@db.example/soar");
        assert!(in_file(&file, &jane).unwrap_err().contains("can't be read"));
        std::fs::write(&file, "other:*:*:*:a\n*:*:soar:*:b\n*:*:*:*:c\n").unwrap();
        let mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&file, permissions).unwrap();
        };
        mode(0o640);
        let refused = in_file(&file, &jane).unwrap_err();
        assert!(refused.contains("chmod 600"), "{refused}");
        mode(0o600);
        assert_eq!(in_file(&file, &jane), Ok(Some("b".to_owned())));
    }
}
