//! A plugin in a worker can't hurt its host: whatever it does, its execution ends, what was
//! committed stands, and the next command runs.
#![cfg(target_os = "linux")]

mod constructors;
mod neighbours;

use playdock_host::execution::{Answer, Ended, Host, ReportRow};
use playdock_tests::{Playdock, SITE_AND_USER, incident, invocation, parameters};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const NUMBERS: [&str; 3] = ["1", "2", "3"];

fn playdock() -> Playdock {
    let playdock = Playdock::with_plugins(&["hostile", "close_incident_in_bulk"]);
    let lines: String = NUMBERS.iter().map(|number| incident(number, json!({}))).collect();
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    playdock
}

fn asked(attack: &str, target: &str) -> Value {
    json!({
        "Incident Numbers": NUMBERS, "Attack": attack, "Target": target, "Username": "admin user",
    })
}

/// The reason of each row, or its result where it has none.
fn becomes(answer: &Answer) -> Vec<String> {
    let rows = answer.report.iter().flat_map(|report| report.rows());
    let row = |row: ReportRow<'_>| match &row.row.reason {
        Some(reason) => reason.to_string(),
        None => row.row.result.as_str().to_owned(),
    };
    rows.map(row).collect()
}

fn attack(host: &Host, attack: &str, target: &str) -> Answer {
    let answer = host.execute(&invocation("Attacks", &asked(attack, target), "attack"));
    answer.unwrap_or_else(|error| panic!("{attack}: {error}"))
}

/// The good command closes the rest, in the same host.
fn the_host_goes_on(playdock: &Playdock, host: &Host) {
    let answer = host.execute(&invocation("CloseIncidentInBulk", &parameters(&NUMBERS), "good"));
    let answer = answer.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.error, "");
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'"), 3);
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 3);
}

#[test]
fn whoever_ends_its_process_ends_its_execution_alone() {
    for (how, cause) in [
        ("exit", "it ended its process with exit code 0"),
        ("abort", "it aborted"),
        ("crash", "it crashed (segmentation fault"),
        ("overflow the stack", "it "),
        ("take all memory", "it aborted, for want of memory"),
    ] {
        let playdock = playdock();
        let host = playdock.host_with_workers();
        let answer = attack(&host, how, "");
        assert_eq!(answer.ended, Ended::CommandBroke, "{how}");
        let begin = format!("The plugin hostile gave no answer to Attacks: {cause}");
        assert!(answer.error.starts_with(&begin), "{how}: {}", answer.error);
        assert_eq!(becomes(&answer), ["Successful", "not-attempted", "not-attempted"], "{how}");
        the_host_goes_on(&playdock, &host);
    }
}

#[test]
fn a_deadline_really_ends() {
    for how in ["loop", "sleep", "flood the log for ever"] {
        // A busy machine adds to the time and never takes from it: the best of three counts.
        let times: Vec<Duration> = (0..3).map(|_| time_of_one_second(how)).collect();
        assert!(times.iter().min() < Some(&Duration::from_millis(1_500)), "{how}: {times:?}");
    }
}

/// How long an attack takes that has a deadline of one second.
fn time_of_one_second(how: &str) -> Duration {
    let mut playdock = playdock();
    playdock.copy_plugins();
    let host = playdock.host_with_workers();
    let mut invocation = invocation("Attacks", &asked(how, ""), "attack");
    invocation.timeout = Duration::from_secs(1);
    // The first start of a worker isn't counted.
    assert!(host.describe("Attacks").is_ok());
    assert_eq!(workers_of(&playdock), 1);
    let began = Instant::now();
    let answer = host.execute(&invocation).unwrap_or_else(|error| panic!("{error}"));
    let time = began.elapsed();
    assert_eq!(answer.ended, Ended::DeadlinePassed, "{how}");
    assert_eq!(becomes(&answer), ["Successful", "not-attempted", "not-attempted"], "{how}");
    assert_eq!(workers_of(&playdock), 0, "{how}");
    the_host_goes_on(&playdock, &host);
    time
}

/// How many workers of this process have a library open that lies in this folder.
fn workers_of(playdock: &Playdock) -> usize {
    let folder = playdock.folder().to_string_lossy();
    let has_it_open = |child: &u32| {
        let command = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&*folder)
    };
    children_of(std::process::id()).iter().filter(|child| has_it_open(child)).count()
}

#[test]
fn a_cancelled_command_that_does_not_stop_is_ended() {
    let playdock = playdock();
    let host = playdock.host_with_workers();
    let invocation = invocation("Attacks", &asked("loop", ""), "attack");
    let cancellation = invocation.cancellation.clone();
    let cancelling = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        cancellation.cancel();
    });
    let answer = host.execute(&invocation).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.ended, Ended::Cancelled);
    assert!(cancelling.join().is_ok());
    the_host_goes_on(&playdock, &host);
}

#[test]
fn nothing_outside_can_be_reached() {
    let playdock = playdock();
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    let listener = listener.unwrap_or_else(|error| panic!("{error}"));
    let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    let store = playdock.folder().join("playdock.db");
    let file = playdock.folder().join("written");
    let host = playdock.host_with_workers();
    for (how, target) in [
        ("open a socket", ""),
        ("connect", address.as_str()),
        ("start a program", ""),
        ("fork", ""),
        ("trace the host", &std::process::id().to_string()),
        ("read a file", "/etc/passwd"),
        ("read a file", "/proc/self/environ"),
        ("read a file", &store.to_string_lossy()),
        ("write a file", &file.to_string_lossy()),
        ("list a folder", "/"),
        ("kill the host", &std::process::id().to_string()),
    ] {
        let execution = format!("{how}:{target}").replace([' ', '/'], "-");
        let invocation = invocation("Attacks", &asked(how, target), &execution);
        let answer = host.execute(&invocation).unwrap_or_else(|error| panic!("{error}"));
        let denied =
            ["not permitted", "denied", "No such file"].map(|it| answer.error.contains(it));
        assert!(denied.contains(&true), "{how} {target}: {:?}", answer.error);
    }
    assert!(!file.exists());
    the_host_goes_on(&playdock, &host);
}

#[test]
fn a_plugin_that_starts_thread_after_thread_is_ended() {
    let playdock = playdock();
    let host = playdock.host_with_workers();
    let answer = attack(&host, "start many threads", "");
    assert_eq!(answer.ended, Ended::CommandBroke);
    assert!(answer.error.contains("threads"), "{}", answer.error);
    the_host_goes_on(&playdock, &host);
}

#[test]
fn the_environment_is_empty_and_threads_can_be_started() {
    let playdock = playdock();
    let host = playdock.host_with_workers();
    let answer = attack(&host, "find a secret", "");
    assert!(answer.error.starts_with("Err(NotPresent)"), "{}", answer.error);
    let invocation = invocation("Attacks", &asked("start a thread", ""), "thread");
    let answer = host.execute(&invocation).unwrap_or_else(|error| panic!("{error}"));
    assert!(answer.error.starts_with("the thread says 42"), "{}", answer.error);
}

#[test]
fn what_it_prints_is_no_part_of_the_answer_and_its_log_is_bounded() {
    let playdock = playdock();
    let mut arguments = vec!["invoke", "Attacks", "--site", "Security Operations"];
    arguments.extend(["--output", "json", "--params", "-"]);
    let finished = playdock.run_with_input(&arguments, asked("print", "").to_string().as_bytes());
    assert!(!finished.output.contains("this is not the answer"), "{finished:?}");
    let finished =
        playdock.run_with_input(&arguments, asked("flood the log", "").to_string().as_bytes());
    assert!(finished.errors.len() < 4 << 20, "{} bytes of log", finished.errors.len());
    assert!(finished.errors.contains("more records were dropped"), "the end of the log says so");
}

#[test]
fn a_thread_that_stays_behind_changes_nothing_of_what_follows() {
    let playdock = playdock();
    let host = playdock.host_with_workers();
    attack(&host, "leave a thread behind", "");
    std::thread::sleep(Duration::from_millis(50));
    let invocation = invocation("Attacks", &asked("start a thread", ""), "thread");
    let answer = host.execute(&invocation).unwrap_or_else(|error| panic!("{error}"));
    assert!(answer.error.starts_with("the thread says 42"), "{}", answer.error);
    the_host_goes_on(&playdock, &host);
}

#[test]
fn many_crashes_leave_nothing_behind() {
    const ALONE: &str = "PLAYDOCK_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return crash_and_count();
    }
    // In a process of its own: the other tests of this one hold something meanwhile too.
    let test = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let name = "hostile::many_crashes_leave_nothing_behind";
    let mut alone = std::process::Command::new(test);
    let status = alone.args(["--exact", name]).env(ALONE, "1").status();
    assert!(status.is_ok_and(|status| status.success()));
}

fn crash_and_count() {
    let rounds = std::env::var("PLAYDOCK_CRASHES").ok().and_then(|it| it.parse().ok());
    let playdock = playdock();
    let host = playdock.host_with_workers();
    attack(&host, "abort", "");
    let (before, memory_before) = (held(&playdock), memory());
    for round in 0..rounds.unwrap_or(30) {
        let invocation = invocation("Attacks", &asked("abort", ""), &format!("crash-{round}"));
        let answer = host.execute(&invocation).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.ended, Ended::CommandBroke);
    }
    let mut after = held(&playdock);
    // With so many commits the store opens its connection for checkpoints, the first time: the file
    // and its log.
    if after.of_the_store == before.of_the_store + 2 {
        after.of_the_store = before.of_the_store;
    }
    assert_eq!(after, before);
    let grown = memory().saturating_sub(memory_before);
    assert!(grown < 16 << 10, "the memory grew by {grown} KiB");
    the_host_goes_on(&playdock, &host);
}

#[test]
fn killing_the_host_leaves_no_worker_behind() {
    let playdock = playdock();
    let mut arguments = vec!["invoke", "Attacks", "--site", "Security Operations"];
    arguments.extend(["--execution-id", "attack", "--params", "-"]);
    let mut child = playdock.start(playdock.command(&arguments));
    if let Some(mut stdin) = child.stdin.take() {
        use std::io::Write;
        let written = stdin.write_all(asked("loop", "").to_string().as_bytes());
        assert!(written.is_ok());
    }
    let host = child.id();
    let worker = wait_for(|| children_of(host).into_iter().next());
    // It is in its loop once the first incident is closed.
    wait_for(|| {
        let closed = playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'");
        (closed == 1).then_some(())
    });
    assert!(child.kill().is_ok() && child.wait().is_ok());
    let gone = || (!std::path::Path::new(&format!("/proc/{worker}")).exists()).then_some(());
    wait_for(gone);
}

fn wait_for<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if let Some(found) = what() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it did not come to pass in 20 s")
}

/// What this process holds.
#[derive(Debug, PartialEq)]
struct Held {
    /// How many descriptors lead to files of the store.
    of_the_store: usize,
    /// What the others lead to.
    open: Vec<String>,
    threads: usize,
    /// The children that nobody has waited for.
    dead: usize,
}

fn held(playdock: &Playdock) -> Held {
    let entries = |folder| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let leads_to = |entry: std::fs::DirEntry| std::fs::read_link(entry.path()).ok();
    let (of_the_store, others): (Vec<PathBuf>, Vec<PathBuf>) = entries("/proc/self/fd")
        .filter_map(leads_to)
        .partition(|path| path.starts_with(playdock.folder()));
    // Sockets and pipes are numbered, and another worker has others.
    let unnumbered = |path: PathBuf| {
        let path = path.to_string_lossy().into_owned();
        path.split(":[").next().unwrap_or_default().to_owned()
    };
    let mut open: Vec<String> = others.into_iter().map(unnumbered).collect();
    open.sort_unstable();
    let dead = |child: &u32| stat(*child).is_some_and(|(state, _)| state == 'Z');
    Held {
        of_the_store: of_the_store.len(),
        open,
        threads: entries("/proc/self/task").count(),
        dead: children_of(std::process::id()).into_iter().filter(dead).count(),
    }
}

/// The memory of this process, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("the kernel doesn't tell"))
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| stat(*id).is_some_and(|(_, its_parent)| its_parent == parent)).collect()
}

/// The state and the parent of a process.
fn stat(process: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
