//! What must always hold of executions and their ledgers.

use super::Invariant;

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        id: "state",
        sentence: "An execution is running, interrupted or finished.",
        since: 1,
        broken: "SELECT site, NULL, execution_id, 'state ' || state FROM execution
            WHERE state NOT IN ('running', 'interrupted', 'finished')",
    },
    Invariant {
        id: "running",
        sentence: "A running execution has a lease and no end.",
        since: 1,
        broken: "SELECT site, NULL, execution_id, NULL FROM execution
            WHERE state = 'running' AND (lease_owner IS NULL OR lease_until IS NULL
                OR finished_at IS NOT NULL OR return_data IS NOT NULL)",
    },
    Invariant {
        id: "ended",
        sentence: "An execution that finished or was interrupted has a time, a result, an error or none, outputs, and no lease.",
        since: 1,
        broken: "SELECT site, NULL, execution_id, state FROM execution
            WHERE state IN ('interrupted', 'finished') AND (finished_at IS NULL OR error IS NULL OR outputs IS NULL
                OR lease_owner IS NOT NULL OR lease_until IS NOT NULL
                OR coalesce(return_data, '')
                    NOT IN ('Successful', 'Partially Successful', 'Failed'))",
    },
    Invariant {
        id: "execution-time",
        sentence: "An execution ends after it begins, to within a day.",
        since: 1,
        broken: "SELECT site, NULL, execution_id,
                'from ' || started_at || ' to ' || finished_at || ' ms'
            FROM execution WHERE finished_at < started_at - 86400000",
    },
    Invariant {
        id: "execution-readable",
        sentence: "The parameters, columns and outputs of an execution can be read.",
        since: 1,
        broken: "SELECT site, NULL, execution_id, NULL
            FROM execution LEFT JOIN given ON given.execution = execution.id
            WHERE NOT (json_valid(coalesce(json, '')) AND json_valid(columns)
                AND json_valid(coalesce(outputs, '{}')))",
    },
    Invariant {
        id: "conditions",
        sentence: "Why and where the code of an execution ran is known whole or not at all.",
        since: 2,
        broken: "SELECT site, NULL, execution_id, NULL FROM execution
            WHERE (trusted IS NULL) <> (isolation IS NULL)
                OR (trusted IS NULL) <> (unprotected IS NULL)
                OR (trusted IS NULL AND signing_key IS NOT NULL)",
    },
    Invariant {
        id: "ledger-line",
        sentence: "A line of a ledger is of an incident or of a number that there was none of, and changed nothing where it failed.",
        since: 1,
        broken: "SELECT site, number, execution_id, 'at position ' || position
            FROM line JOIN execution ON execution.id = line.execution
            WHERE (incident IS NULL) = (number IS NULL) OR NOT json_valid(cells)
                OR (change IS NOT NULL AND (result <> 'Successful' OR incident IS NULL))
                OR result NOT IN ('Successful', 'Failed')
                OR coalesce(change, 'close') NOT IN ('close', 'reopen', 'assign') OR position < 0",
    },
    Invariant {
        id: "ledger-positions",
        sentence: "A ledger has one line for a position, and once its execution finished, one for each.",
        since: 1,
        broken: "SELECT site, NULL, execution_id,
                lines || ' lines, ' || positions || ' positions up to ' || last
            FROM (SELECT execution, count(*) AS lines, count(DISTINCT position) AS positions,
                max(position) AS last FROM line GROUP BY execution) AS ledgers
            JOIN execution ON execution.id = ledgers.execution
            WHERE lines <> positions OR (state = 'finished' AND lines <> last + 1)",
    },
    Invariant {
        id: "ledger-site",
        sentence: "An execution touches incidents of its own site.",
        since: 1,
        broken: "SELECT site.name, incident.number, execution_id, NULL
            FROM line JOIN execution ON execution.id = line.execution
            JOIN incident ON incident.id = line.incident JOIN site ON site.id = incident.site
            WHERE site.name <> execution.site",
    },
    Invariant {
        id: "ledger-closed",
        sentence: "The ledger of the execution that closed an incident says so.",
        since: 1,
        broken: "SELECT site.name, number, execution_id, NULL
            FROM (SELECT closed_in, id FROM incident
                WHERE status = 'Closed' AND closed_in IS NOT NULL
                EXCEPT SELECT execution, incident FROM line WHERE change = 'close') AS silent
            JOIN incident ON incident.id = silent.id JOIN site ON site.id = incident.site
            JOIN execution ON execution.id = silent.closed_in",
    },
    Invariant {
        id: "ledger-audited",
        sentence: "Every change that a ledger tells of has its audit entry.",
        since: 1,
        broken: "SELECT site.name, number, execution_id, NULL
            FROM (SELECT execution, incident, change FROM line WHERE change IS NOT NULL
                EXCEPT SELECT execution, incident, action FROM audit) AS unaudited
            JOIN incident ON incident.id = unaudited.incident
            JOIN site ON site.id = incident.site
            JOIN execution ON execution.id = unaudited.execution",
    },
    Invariant {
        id: "audit-in-ledger",
        sentence: "Every audit entry has a line in the ledger of its execution.",
        since: 1,
        // It need not say that it was changed: that may have been undone since.
        broken: "SELECT site.name, number, execution_id, NULL
            FROM (SELECT execution, incident FROM audit
                EXCEPT SELECT execution, incident FROM line) AS unlisted
            JOIN incident ON incident.id = unlisted.incident
            JOIN site ON site.id = incident.site
            JOIN execution ON execution.id = unlisted.execution",
    },
    Invariant {
        id: "no-preview",
        sentence: "Previews leave nothing behind.",
        since: 1,
        broken: "SELECT site, number, execution_id, NULL
            FROM line JOIN execution ON execution.id = line.execution
            WHERE reason IN ('would-close', 'would-reopen', 'would-assign')",
    },
    Invariant {
        id: "result",
        sentence: "The result of a finished execution is that of its ledger.",
        since: 1,
        broken: "SELECT site, NULL, execution_id,
                return_data || ', with ' || lines || ' lines of which ' || failed || ' failed'
            FROM (SELECT execution.id, coalesce(lines, 0) AS lines, coalesce(failed, 0) AS failed
                FROM execution LEFT JOIN (SELECT execution, count(*) AS lines,
                    count(*) FILTER (WHERE result = 'Failed') AS failed FROM line GROUP BY execution) AS ledgers
                ON ledgers.execution = execution.id WHERE state = 'finished') AS counted
            JOIN execution USING (id)
            WHERE CASE WHEN lines = 0 THEN return_data NOT IN ('Successful', 'Failed')
                WHEN failed = 0 THEN return_data <> 'Successful'
                WHEN failed < lines THEN return_data <> 'Partially Successful'
                ELSE return_data <> 'Failed' END",
    },
];
