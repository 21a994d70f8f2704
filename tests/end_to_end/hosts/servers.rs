//! Two servers over one store, as behind a load balancer: what one is asked or told counts for both.

use super::assert_closed_once;
use playdock_tests::{
    PATIENCE, Playdock, Response, SITE_AND_USER, Served, in_postgres_too, incident, parameters,
};
use serde_json::{Value, json};
use std::time::Instant;

in_postgres_too!(
    the_same_idempotency_key_at_both_is_one_execution,
    a_key_that_is_revoked_is_refused_by_both,
    what_runs_at_one_is_seen_at_the_other,
    clients_of_both_close_each_incident_once,
);

const CLOSE: &str = "/api/Command/CloseIncidentInBulk";

fn store(incidents: usize) -> (Playdock, Vec<String>) {
    let numbers: Vec<String> = (0..incidents).map(|number| format!("INC-{number}")).collect();
    let lines: String = numbers.iter().map(|number| incident(number, json!({}))).collect();
    let account = r#"{"kind":"user","username":"Admin","sites":["Security Operations"]}"#;
    let playdock = Playdock::new();
    playdock.import(&format!("{SITE_AND_USER}{account}\n{lines}"));
    (playdock, numbers)
}

fn two(playdock: &Playdock) -> [Served; 2] {
    [0, 1].map(|_| playdock.serve(&["--rate", "0"]))
}

fn body<T: AsRef<str>>(numbers: &[T]) -> String {
    let parameters = parameters(numbers);
    json!({"Username": "Admin", "Site": "Security Operations", "CommandParams": parameters})
        .to_string()
}

fn id(response: &Response) -> &str {
    response.header("playdock-execution-id").expect("it has one")
}

#[test]
fn the_same_idempotency_key_at_both_is_one_execution() {
    const ROUNDS: usize = 8;
    const EACH: usize = 20;
    let (playdock, numbers) = store(ROUNDS * EACH);
    let key = playdock.key("one", &[]);
    let servers = two(&playdock);
    for (round, numbers) in numbers.chunks(EACH).enumerate() {
        let own = format!("ticket {round}");
        let headers = [("d3key", key.as_str()), ("Idempotency-Key", own.as_str())];
        let (headers, body_of_all) = (&headers, &body(numbers));
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let ask = |client: usize| {
                let served = &servers[client % 2];
                scope.spawn(move || served.post(CLOSE, headers, body_of_all))
            };
            let asking: Vec<_> = (0..6).map(ask).collect();
            asking.into_iter().map(|asking| asking.join().expect("it is answered")).collect()
        });
        for answer in &answers {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.json()["returnData"], "Successful", "{answer:?}");
            assert_eq!((&answer.body, id(answer)), (&answers[0].body, id(&answers[0])));
        }
        // Another request under it is refused by whichever is asked.
        for served in &servers {
            let other = served.post(CLOSE, headers, &body(&["INC-0", "INC-1"]));
            assert!(other.body.contains("was used before"), "{other:?}");
        }
    }
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM execution"), ROUNDS);
    assert_closed_once(&playdock, ROUNDS * EACH);
}

#[test]
fn a_key_that_is_revoked_is_refused_by_both() {
    let (playdock, _) = store(1);
    let key = playdock.key("one", &[]);
    let servers = two(&playdock);
    let ask = |served: &Served| served.get("/api/Commands", &[("d3key", &key)]).status;
    assert_eq!(servers.each_ref().map(ask), [200, 200]);
    assert_eq!(playdock.run(&["keys", "revoke", "one"]).code, Some(0));
    let revoked = Instant::now();
    while servers.each_ref().map(ask) != [401, 401] {
        assert!(revoked.elapsed() < PATIENCE, "it is still accepted");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    println!("both refused it after {:?}", revoked.elapsed());
}

#[test]
fn what_runs_at_one_is_seen_at_the_other() {
    let (playdock, numbers) = store(3);
    let (key, other) = (playdock.key("one", &[]), playdock.key("other", &[]));
    let [first, second] = two(&playdock);
    let headers = [("d3key", key.as_str()), ("Prefer", "respond-async")];
    let accepted = first.post(CLOSE, &headers, &body(&numbers));
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let location = accepted.header("location").expect("it says where");
    let end = Instant::now() + PATIENCE;
    let shown = loop {
        let shown = second.get(location, &[("d3key", &key)]);
        assert_eq!(shown.status, 200, "{shown:?}");
        if shown.json()["state"] == "finished" {
            break shown.json();
        }
        assert!(Instant::now() < end, "it does not end");
    };
    assert_eq!(shown, first.get(location, &[("d3key", &key)]).json());
    assert_eq!(second.get(location, &[("d3key", &other)]).status, 404);
    assert_closed_once(&playdock, 3);
}

// Elsewhere, each of so many executions starts a process.
#[cfg(target_os = "linux")]
#[test]
fn clients_of_both_close_each_incident_once() {
    const CLIENTS: usize = 200;
    let (playdock, numbers) = store(150);
    let keys = ["one", "two", "three"].map(|name| playdock.key(name, &[]));
    let servers = two(&playdock);
    let mut random = super::random();
    let wanted: Vec<Vec<&str>> = (0..CLIENTS)
        .map(|client| {
            let mut some: Vec<&str> = numbers.iter().map(String::as_str).collect();
            random.shuffle(&mut some);
            some.truncate(1 + random.below(12));
            // All are asked for by some.
            some.push(&numbers[client % numbers.len()]);
            some
        })
        .collect();
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let ask = |(client, wanted): (usize, &Vec<&str>)| {
            let headers = [("d3key", keys[client % keys.len()].as_str())];
            let response = servers[client % 2].post(CLOSE, &headers, &body(wanted));
            assert_eq!(response.status, 200, "{response:?}");
            response.json()
        };
        let asking: Vec<_> =
            wanted.iter().enumerate().map(|one| scope.spawn(move || ask(one))).collect();
        asking.into_iter().map(|asking| asking.join().expect("it is answered")).collect()
    });
    let mut claimed = 0;
    for answer in &answers {
        assert_eq!(answer["returnData"], "Successful", "{answer}");
        let rows = answer["contextData"].as_array().expect("there are rows");
        claimed += rows.iter().filter(|row| row.get("Reason").is_none()).count();
    }
    assert_eq!(claimed, numbers.len());
    assert_closed_once(&playdock, numbers.len());
}
