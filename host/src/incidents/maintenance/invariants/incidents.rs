//! What must always hold of incidents and their audit.

use super::Invariant;

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        id: "number-unique",
        sentence: "A site has one incident of a number.",
        since: 1,
        broken: "SELECT site.name, number, NULL, count(*) || ' incidents'
            FROM incident JOIN site ON site.id = incident.site
            GROUP BY incident.site, site.name, number HAVING count(*) > 1",
    },
    Invariant {
        id: "status",
        sentence: "An incident is Open, In Progress, On Hold or Closed.",
        since: 1,
        broken: "SELECT site.name, number, NULL, 'status ' || status
            FROM incident JOIN site ON site.id = incident.site
            WHERE status NOT IN ('Open', 'In Progress', 'On Hold', 'Closed')",
    },
    Invariant {
        id: "version",
        sentence: "An incident has a version of at least 1, above that of each change in its audit.",
        since: 1,
        broken: "SELECT site.name, number, NULL, 'version ' || version
            FROM incident JOIN site ON site.id = incident.site WHERE version < 1
            UNION ALL
            SELECT site.name, number, execution_id,
                'version ' || version || ', and the audit has ' || before_version
            FROM audit JOIN incident ON incident.id = audit.incident
            JOIN site ON site.id = incident.site JOIN execution ON execution.id = audit.execution
            WHERE version <= before_version",
    },
    Invariant {
        id: "open",
        sentence: "An incident that is not closed has no date, user or execution of a closing.",
        since: 1,
        broken: "SELECT site.name, number, execution_id,
                concat_ws(', ', 'status ' || status,
                    CASE WHEN closed_at IS NOT NULL THEN 'a date' END, 'the user ' || closed_by)
            FROM incident JOIN site ON site.id = incident.site
            LEFT JOIN execution ON execution.id = closed_in
            WHERE status <> 'Closed'
                AND (closed_at IS NOT NULL OR closed_by IS NOT NULL OR closed_in IS NOT NULL)",
    },
    Invariant {
        id: "closed",
        sentence: "An incident that an execution closed has a date and a user.",
        since: 1,
        broken: "SELECT site.name, number, execution_id,
                concat_ws(' and ', CASE WHEN closed_at IS NULL THEN 'no date' END,
                    CASE WHEN coalesce(closed_by, '') = '' THEN 'no user' END)
            FROM incident JOIN site ON site.id = incident.site
            JOIN execution ON execution.id = closed_in
            WHERE status = 'Closed' AND (closed_at IS NULL OR coalesce(closed_by, '') = '')",
    },
    Invariant {
        id: "closed-audited",
        sentence: "An incident that an execution closed has an audit entry of it, with its date and user.",
        since: 1,
        broken:
            "SELECT site.name, number, execution_id,
                CASE WHEN audit.id IS NULL THEN 'no audit entry'
                    ELSE 'an audit entry with another date or user' END
            FROM incident JOIN site ON site.id = incident.site
            JOIN execution ON execution.id = closed_in
            LEFT JOIN audit ON audit.incident = incident.id AND audit.execution = closed_in
                AND action = 'close'
            WHERE incident.status = 'Closed'
                AND (audit.id IS NULL OR at IS DISTINCT FROM closed_at
                    OR audit.acting_user IS DISTINCT FROM closed_by)",
    },
    Invariant {
        id: "closed-once",
        sentence: "An execution changes an incident once.",
        since: 1,
        broken: "SELECT site.name, incident.number, execution_id, number_of || ' audit entries'
            FROM (SELECT incident, execution, count(*) AS number_of FROM audit
                GROUP BY incident, execution HAVING count(*) > 1) AS often
            JOIN incident ON incident.id = often.incident JOIN site ON site.id = incident.site
            JOIN execution ON execution.id = often.execution",
    },
    Invariant {
        id: "audit-before",
        sentence: "An audit entry tells of the closing of an open incident, the reopening of a closed one or an assignment, of a later version than the entry before it.",
        since: 1,
        broken: "SELECT site.name, number, execution_id,
                action || ', status ' || before_status || ', version ' || before_version
            FROM (SELECT *, lag(before_version, 1, 0) OVER
                    (PARTITION BY incident ORDER BY id) AS version_before FROM audit) AS entry
            JOIN incident ON incident.id = entry.incident JOIN site ON site.id = incident.site
            JOIN execution ON execution.id = entry.execution
            WHERE before_version <= version_before
                OR CASE action WHEN 'reopen' THEN before_status <> 'Closed'
                    WHEN 'close' THEN before_status NOT IN ('Open', 'In Progress', 'On Hold')
                        OR before_closed_at IS NOT NULL OR before_closed_by IS NOT NULL
                    ELSE action <> 'assign' END",
    },
    Invariant {
        id: "audit-owner",
        sentence: "An audit entry of an assignment has the owner before and another since, and no other entry has any.",
        since: 5,
        broken: "SELECT site.name, number, execution_id,
                action || ', from ' || coalesce(before_owner, 'none') || ' to ' || coalesce(audit.owner, 'none')
            FROM audit JOIN incident ON incident.id = audit.incident
            JOIN site ON site.id = incident.site JOIN execution ON execution.id = audit.execution
            WHERE CASE action WHEN 'assign' THEN before_owner IS NULL OR coalesce(audit.owner, '') = ''
                    OR audit.owner = before_owner
                ELSE before_owner IS NOT NULL OR audit.owner IS NOT NULL END",
    },
    Invariant {
        id: "audit-conclusion",
        sentence: "The conclusion of an incident that an execution closed still has what was there before.",
        since: 1,
        broken: "SELECT site.name, number, execution_id,
                octet_length(conclusion) || ' bytes, and before it had ' || before_conclusion_bytes
            FROM audit JOIN incident ON incident.id = audit.incident AND closed_in = audit.execution
            JOIN site ON site.id = incident.site JOIN execution ON execution.id = audit.execution
            WHERE before_conclusion_bytes NOT BETWEEN 0 AND octet_length(conclusion)",
    },
    Invariant {
        id: "audit-user",
        sentence: "An audit entry is in the name of its execution's user.",
        since: 1,
        broken: "SELECT site.name, number, execution_id, 'in the name of ' || audit.acting_user
            FROM audit JOIN execution ON execution.id = audit.execution
            JOIN incident ON incident.id = audit.incident JOIN site ON site.id = incident.site
            WHERE audit.acting_user IS DISTINCT FROM execution.acting_user",
    },
    Invariant {
        id: "audit-time",
        sentence: "An audit entry is of the time of its execution, to within a day.",
        since: 1,
        // A clock that is set, or another host's, may be some hours off.
        broken: "SELECT site.name, number, execution_id, 'at ' || at || ' ms'
            FROM audit JOIN execution ON execution.id = audit.execution
            JOIN incident ON incident.id = audit.incident JOIN site ON site.id = incident.site
            WHERE CASE WHEN clock IS NOT NULL THEN at <> clock
                ELSE at < started_at - 86400000 OR at > finished_at + 86400000 END",
    },
    Invariant {
        id: "fields-readable",
        sentence: "The value of a field, and what was waived, can be read.",
        since: 1,
        broken: "SELECT site.name, number, NULL, 'the field ' || section || ' > ' || field.name
            FROM field JOIN incident ON incident.id = field.incident
            JOIN site ON site.id = incident.site WHERE NOT json_valid(value)
            UNION ALL
            SELECT site.name, number, execution_id, 'what was waived'
            FROM audit JOIN incident ON incident.id = audit.incident
            JOIN site ON site.id = incident.site JOIN execution ON execution.id = audit.execution
            WHERE waived IS NOT NULL AND NOT json_valid(waived)",
    },
];
