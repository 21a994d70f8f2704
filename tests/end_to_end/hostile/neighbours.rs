//! Executions that run while others are attacked from within: nothing of them is touched.

use super::{asked, playdock};
use playdock_host::execution::Ended;
use playdock_tests::{SITE_AND_USER, incident, invocation, parameters};
use serde_json::json;

#[test]
fn executions_beside_a_crash_end_as_if_it_had_not_been() {
    const GOOD: usize = 4;
    const EACH: usize = 300;
    let playdock = playdock();
    let number = |execution: usize, index: usize| format!("G{execution}-{index}");
    let lines: String = (0..GOOD)
        .flat_map(|execution| (0..EACH).map(move |index| number(execution, index)))
        .map(|number| incident(&number, json!({})))
        .collect();
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    let host = playdock.host_with_workers();
    std::thread::scope(|scope| {
        for (index, attack) in ["abort", "crash", "exit", "overflow the stack"].iter().enumerate() {
            let host = &host;
            scope.spawn(move || {
                for round in 0..3 {
                    let id = format!("attack-{index}-{round}");
                    let answer = host.execute(&invocation("Attacks", &asked(attack, ""), &id));
                    let answer = answer.unwrap_or_else(|error| panic!("{error}"));
                    assert_eq!(answer.ended, Ended::CommandBroke, "{attack}");
                }
            });
        }
        // One of the same plugin, which does nothing wrong, and some of another.
        for round in 0..3 {
            let host = &host;
            scope.spawn(move || {
                let id = format!("beside-{round}");
                let asked = asked("start a thread", "");
                let answer = host.execute(&invocation("Attacks", &asked, &id));
                let answer = answer.unwrap_or_else(|error| panic!("{error}"));
                assert!(answer.error.starts_with("the thread says 42"), "{}", answer.error);
            });
        }
        for execution in 0..GOOD {
            let host = &host;
            scope.spawn(move || {
                let numbers: Vec<String> =
                    (0..EACH).map(|index| number(execution, index)).collect();
                let id = format!("good-{execution}");
                let good = invocation("CloseIncidentInBulk", &parameters(&numbers), &id);
                let answer = host.execute(&good).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!((answer.ended, answer.error.as_str()), (Ended::Finished, ""));
            });
        }
    });
    let closed = "SELECT count(*) FROM incident WHERE status = 'Closed' AND number GLOB 'G*'";
    assert_eq!(playdock.value::<i64>(closed), i64::try_from(GOOD * EACH).unwrap_or_default());
    playdock.assert_nothing_is_half_closed();
}
