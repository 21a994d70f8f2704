//! The same of a command that reopens: killed at any moment, it reopens each incident once.

use super::{Bulk, INCIDENTS, number_of, seed};
use playdock_tests::{Playdock, Random, SITE_AND_USER, incident};
use serde_json::json;
use std::collections::HashSet;
use std::time::Instant;

impl Bulk {
    /// Closed incidents, all to be reopened.
    fn of_closed(incidents: usize, random: &mut Random) -> Bulk {
        let mut numbers: Vec<String> = (0..incidents).map(|it| format!("INC-{it}")).collect();
        let closed = json!({"status": "Closed", "closed": "2021-01-26T14:08:00Z",
            "closed_by": "somebody"});
        let lines: String = numbers.iter().map(|number| incident(number, closed.clone())).collect();
        let playdock = Playdock::with_plugins(&["reopen_incidents"]);
        playdock.import(&format!("{SITE_AND_USER}{lines}"));
        random.shuffle(&mut numbers);
        let parameters = json!({"Incident Numbers": numbers, "Status": "On Hold",
            "Username": "admin user", "Reason": "It happened again."});
        playdock.file("parameters.json", parameters.to_string());
        Bulk { playdock, numbers, command: "ReopenIncidents" }
    }

    /// Closes one of the incidents again that are reopened, if any is, as somebody else would.
    fn close_one(&self, random: &mut Random) -> Option<String> {
        let reopened = self.playdock.rows("SELECT number FROM incident WHERE status = 'On Hold'");
        let number = reopened.get(random.below(reopened.len()))?;
        self.playdock.write(&format!(
            "UPDATE incident SET status = 'Closed', closed_at = 1611756480000,
                 closed_by = 'somebody', version = version + 1 WHERE number = '{number}'"
        ));
        Some(number.clone())
    }

    /// Every incident that is open was reopened by one change, with its audit entry, its line in the
    /// ledger and its conclusion; every other one by none, but for those that were closed again.
    fn assert_none_is_half_reopened(&self, closed_again: &HashSet<String>) {
        let wrong = self.playdock.rows(
            "WITH audits AS (SELECT incident, count(*) AS number FROM audit GROUP BY 1),
             notes AS (SELECT incident, count(*) AS number FROM ledger
                 WHERE change IS NOT NULL GROUP BY 1)
             SELECT incident.number, status, audits.number, notes.number, conclusion
             FROM incident
                 LEFT JOIN audits ON audits.incident = incident.id
                 LEFT JOIN notes ON notes.incident = incident.id
             WHERE CASE WHEN status = 'On Hold' OR audits.number > 0
                 THEN audits.number IS NOT 1 OR notes.number IS NOT 1
                     OR conclusion <> '<p>It happened again.</p>'
                 ELSE notes.number > 0 OR conclusion <> '' END",
        );
        // Where it was interrupted, and finds what was closed again, the line says so.
        let wrong: Vec<_> = wrong
            .iter()
            .filter(|row| !closed_again.contains(row.split('|').next().unwrap_or_default()))
            .collect();
        assert!(wrong.is_empty(), "half reopened: {:#?}", &wrong[..wrong.len().min(5)]);
        let checked = self.playdock.run(&["db", "check"]);
        assert_eq!(checked.code, Some(0), "{}{}", checked.output, checked.errors);
    }
}

#[test]
fn a_reopening_killed_at_any_moment_reopens_each_incident_once_and_the_rest_is_done_later() {
    let mut random = Random::new(seed());
    let mut rounds = number_of("PLAYDOCK_ROUNDS", 10);
    let whole = {
        let bulk = Bulk::of_closed(INCIDENTS, &mut random);
        let began = Instant::now();
        bulk.finish(bulk.start());
        began.elapsed()
    };
    while rounds > 0 {
        let bulk = Bulk::of_closed(INCIDENTS, &mut random);
        let mut closed_again = HashSet::new();
        let kills = bulk.kill(whole, &mut random, |random| {
            println!("{} reopened", INCIDENTS - bulk.closed());
            bulk.assert_none_is_half_reopened(&closed_again);
            if !bulk.is_finished() && random.below(2) == 0 {
                closed_again.extend(bulk.close_one(random));
            }
        });
        rounds = rounds.saturating_sub(kills);

        let finished = bulk.finish(bulk.start());
        let code = if closed_again.is_empty() { 0 } else { 3 };
        assert_eq!(finished.code, Some(code), "{}", finished.error());
        let outcomes = finished.outcomes();
        assert_eq!(outcomes.len(), bulk.numbers.len());
        for ((of, said), number) in outcomes.iter().zip(&bulk.numbers) {
            let expected = match closed_again.contains(number) {
                true => "closed-since",
                false => "Successful",
            };
            assert_eq!((of, said.as_str()), (number, expected));
        }
        assert_eq!(bulk.closed(), closed_again.len());
        let audited = "SELECT count(*) FROM audit WHERE action = 'reopen'";
        assert_eq!(bulk.playdock.value::<usize>(audited), bulk.numbers.len());
        bulk.assert_none_is_half_reopened(&closed_again);
    }
}
