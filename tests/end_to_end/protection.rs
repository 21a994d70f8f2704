//! What protects the host is said plainly, and what is missing too: in the list of plugins, and
//! where a command runs.

use playdock_tests::{Playdock, SITE_AND_USER, parameters};

fn protection(playdock: &Playdock, more: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["plugins", "list", "--output", "json"];
    arguments.extend(more);
    let listed = playdock.run(&arguments);
    assert_eq!((listed.code, &*listed.errors), (Some(0), ""), "{listed:?}");
    listed.answer()[0].clone()
}

#[test]
fn in_process_nothing_protects_the_host() {
    let playdock = Playdock::new();
    let more = ["--isolation", "in-process"];
    let said = protection(&playdock, &more);
    assert_eq!((&said["isolation"], &said["sandbox"]), (&"in-process".into(), &"none".into()));
    let text = playdock.run(&["plugins", "list", "--isolation", "in-process"]).output;
    let says = "in-process: with all that this program may do";
    assert!(text.contains(says), "{text}");
}

#[test]
#[cfg(not(target_os = "linux"))]
fn a_system_without_a_sandbox_says_so() {
    let playdock = Playdock::new();
    let said = protection(&playdock, &[]);
    assert_eq!((&said["isolation"], &said["sandbox"]), (&"worker".into(), &"none".into()));
    let text = playdock.run(&["plugins", "list"]).output;
    assert!(text.contains("worker: without a sandbox: "), "{text}");
    playdock.import(SITE_AND_USER);
    let finished = playdock.close(&parameters(&[""; 0]), &["-v"]);
    assert!(finished.errors.contains("workers run without a sandbox: "), "{finished:?}");
}

#[cfg(target_os = "linux")]
mod on_linux {
    use super::*;
    use playdock_tests::Finished;
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

    /// Does something where a system call isn't there: for this thread and the processes that it
    /// starts.
    fn without<T: Send + 'static>(call: i64, what: impl FnOnce() -> T + Send + 'static) -> T {
        let thread = std::thread::spawn(move || {
            let (others, this) = (SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32));
            let processor = std::env::consts::ARCH.try_into().expect("it is known");
            let rules = [(call, Vec::new())].into_iter().collect();
            let filter = SeccompFilter::new(rules, others, this, processor);
            let filter: BpfProgram = filter.and_then(TryInto::try_into).expect("it is a filter");
            seccompiler::apply_filter(&filter).expect("filters can be used here");
            what()
        });
        thread.join().expect("it did what it was to do")
    }

    /// What the list says, as JSON and as text, and what a command's run does, where a system call
    /// isn't there.
    fn said_without(call: i64) -> (serde_json::Value, String, Finished) {
        let playdock = Playdock::new();
        playdock.import(SITE_AND_USER);
        without(call, move || {
            let text = playdock.run(&["plugins", "list"]).output;
            let said = protection(&playdock, &[]);
            (said, text, playdock.close(&parameters(&[""; 0]), &[]))
        })
    }

    #[test]
    fn a_missing_part_is_named() {
        for (call, missing) in [
            (libc::SYS_landlock_create_ruleset, "this kernel has no Landlock"),
            (libc::SYS_seccomp, "seccomp can't be used"),
        ] {
            let (said, text, run) = said_without(call);
            let members = (&said["isolation"], &said["sandbox"]);
            assert_eq!(members, (&"worker".into(), &"in-part".into()), "{said}");
            let named = said["missing"][0].as_str().is_some_and(|it| it.starts_with(missing));
            assert!(named && said["missing"].as_array().is_some_and(|it| it.len() == 1), "{said}");
            let says = format!("worker: without a part of the sandbox: {missing}");
            assert!(text.contains(&says), "{text}");
            // It runs all the same, and says what is missing as it does.
            assert_eq!(run.code, Some(0), "{run:?}");
            let says = format!("without a part of their sandbox: {missing}");
            assert!(run.errors.contains("WARN") && run.errors.contains(&says), "{run:?}");
        }
    }

    #[test]
    fn a_whole_sandbox_is_said_to_be_whole() {
        let said = protection(&Playdock::new(), &[]);
        // An older kernel has less, and then says so.
        let whole = said["missing"].as_array().is_some_and(Vec::is_empty);
        let sandbox = if whole { "whole" } else { "in-part" };
        assert_eq!((&said["isolation"], &said["sandbox"]), (&"worker".into(), &sandbox.into()));
        let text = Playdock::new().run(&["plugins", "list"]).output;
        assert_eq!(text.contains("worker: inside a sandbox"), whole, "{text}");
    }

    #[test]
    fn a_program_that_is_no_worker_is_no_answer() {
        use playdock_host::execution::Isolation;
        for program in ["/bin/true", "/bin/cat", "/absent"] {
            let probed = Isolation::Worker { program: program.into() }.protection();
            let error = probed.expect_err("it is no worker").to_string();
            assert!(error.starts_with("no worker could be started from /"), "{error}");
        }
    }

    #[test]
    fn without_memory_files_and_without_namespaces_a_private_copy_is_used() {
        let playdock = Playdock::new();
        playdock.import(SITE_AND_USER);
        without(libc::SYS_memfd_create, move || {
            for isolation in ["worker", "in-process"] {
                let mut command = playdock.command(&["plugins", "list"]);
                command.env("XDG_CACHE_HOME", playdock.folder()).args(["--isolation", isolation]);
                let listed = playdock.start(command).wait_with_output().expect("it ends");
                assert!(listed.status.success(), "{listed:?}");
            }
            assert!(playdock.folder().join("playdock/plugins").is_dir());
            assert_eq!(playdock.close(&parameters(&[""; 0]), &[]).code, Some(0));
        });
    }
}
