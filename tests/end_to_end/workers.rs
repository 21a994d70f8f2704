//! Workers on every system: what a plugin does to its process ends its execution and nothing else,
//! and its process ends with its host. What only a sandbox holds back is tested with hostile ones.

use playdock_host::execution::{Answer, Ended, Host};
use playdock_tests::{Finished, Playdock, SITE_AND_USER, in_postgres_too, incident, invocation};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

in_postgres_too!(
    a_worker_that_ends_ends_its_execution_alone,
    a_worker_sees_nothing_of_the_environment,
);

fn playdock() -> Playdock {
    let playdock = Playdock::with_plugins(&["hostile"]);
    let lines: String = ["1", "2"].iter().map(|number| incident(number, json!({}))).collect();
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    playdock
}

fn asked(attack: &str) -> Value {
    json!({ "Incident Numbers": ["1", "2"], "Attack": attack, "Username": "admin user" })
}

fn attack(host: &Host, attack: &str, timeout: Duration) -> Answer {
    let mut invocation = invocation("Attacks", &asked(attack), &attack.replace(' ', "-"));
    invocation.timeout = timeout;
    host.execute(&invocation).unwrap_or_else(|error| panic!("{attack}: {error}"))
}

#[test]
fn a_worker_that_ends_ends_its_execution_alone() {
    let playdock = playdock();
    let host = playdock.host_with_workers();
    let long = Duration::from_secs(60);
    for (how, cause) in [
        ("exit", "it ended its process with exit code 0"),
        ("abort", "it aborted"),
        ("crash", "it crashed ("),
    ] {
        let answer = attack(&host, how, long);
        assert_eq!(answer.ended, Ended::CommandBroke, "{how}");
        let begin = format!("The plugin hostile gave no answer to Attacks: {cause}");
        assert!(answer.error.starts_with(&begin), "{how}: {}", answer.error);
    }
    let answer = attack(&host, "start a thread", long);
    assert!(answer.error.starts_with("the thread says 42"), "{}", answer.error);
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'"), 1);
}

#[test]
fn a_deadline_ends_a_worker_that_does_not_stop() {
    let playdock = playdock();
    let host = playdock.host_with_workers();
    assert!(host.describe("Attacks").is_ok());
    for how in ["loop", "sleep", "flood the log for ever"] {
        let began = Instant::now();
        let answer = attack(&host, how, Duration::from_secs(1));
        assert_eq!(answer.ended, Ended::DeadlinePassed, "{how}");
        assert!(began.elapsed() < Duration::from_secs(30), "{how}: {:?}", began.elapsed());
    }
}

#[test]
fn what_a_worker_prints_disturbs_nobody() {
    let playdock = playdock();
    let host = playdock.host_with_workers();
    let answer = attack(&host, "print", Duration::from_secs(60));
    assert!(answer.error.starts_with("The command Attacks ended without"), "{}", answer.error);
}

#[test]
fn a_worker_sees_nothing_of_the_environment() {
    let playdock = playdock();
    let parameters = playdock.file("parameters.json", asked("find a secret").to_string());
    let parameters = parameters.to_string_lossy();
    let run = |isolation: &str, found: &str| {
        let mut arguments = vec!["invoke", "Attacks", "--site", "Security Operations"];
        arguments.extend(["--params", &parameters, "--output", "json", "--isolation", isolation]);
        let mut command = playdock.command(&arguments);
        command.env("SECRET", "told");
        let ended = playdock.start(command).wait_with_output().expect("it ends");
        let answer = Finished::from(ended).answer();
        assert!(answer["error"].as_str().is_some_and(|it| it.starts_with(found)), "{answer}");
    };
    run("worker", "Err(NotPresent)");
    run("in-process", "Ok(\"told\")");
}

/// A library can't be removed there while a process has it, which tells when the worker is gone.
#[test]
#[cfg(windows)]
fn killing_the_host_leaves_no_worker_behind() {
    let playdock = playdock();
    let copies = playdock.folder().join("playdock/plugins");
    let parameters = playdock.file("parameters.json", asked("loop").to_string());
    let parameters = parameters.to_string_lossy();
    let arguments = ["invoke", "Attacks", "--site", "Security Operations", "--params", &parameters];
    let mut command = playdock.command(&arguments);
    command.env("LOCALAPPDATA", playdock.folder());
    let mut child = playdock.start(command);
    wait_for(|| {
        let closed = playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'");
        closed == 1
    });
    let copy = std::fs::read_dir(copies).into_iter().flatten().flatten().next();
    let copy = copy.expect("a copy was made").path();
    assert!(std::fs::remove_file(&copy).is_err(), "the worker has it");
    assert!(child.kill().is_ok() && child.wait().is_ok());
    wait_for(|| std::fs::remove_file(&copy).is_ok());
}

#[cfg(windows)]
fn wait_for(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < end, "it did not come to pass in 20 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}
