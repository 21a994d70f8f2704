-- Version 6 of the store: neither a ledger nor the audit refers to what it is about by a foreign key.
-- SQLite would look for it once for each line, a quarter of what it takes to write one. What has lines
-- or entries can't be deleted all the same, as the triggers below see to, and `playdock db check` looks
-- for each.

DROP VIEW ledger_line;

ALTER TABLE ledger RENAME TO ledger_before;

CREATE TABLE ledger (
    execution INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    incident  INTEGER,                          -- NULL where the site has no such incident
    number    TEXT,                             -- only where `incident` is NULL
    change    TEXT,                             -- what was done to the incident, NULL where nothing was
    row       INTEGER NOT NULL,
    PRIMARY KEY (execution, sequence)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger
    SELECT execution, sequence, position, incident, number, change, row FROM ledger_before;

DROP TABLE ledger_before;

CREATE VIEW ledger_line AS
    SELECT execution, sequence, position, incident, number, change, result, reason, message, cells
    FROM ledger JOIN ledger_row ON ledger_row.id = ledger.row;

DROP INDEX audit_by_incident;

ALTER TABLE audit RENAME TO audit_before;

CREATE TABLE audit (
    id                       INTEGER PRIMARY KEY,
    incident                 INTEGER NOT NULL,
    execution                INTEGER NOT NULL,
    action                   TEXT NOT NULL,
    at                       INTEGER NOT NULL,
    acting_user              TEXT NOT NULL,
    before_status            TEXT NOT NULL,
    before_version           INTEGER NOT NULL,
    before_closed_at         INTEGER,
    before_closed_by         TEXT,
    before_conclusion_bytes  INTEGER NOT NULL,  -- what was appended begins there
    waived                   TEXT,              -- JSON: the tasks and fields waived, and by which bypass
    before_owner             TEXT,              -- of an assignment: the owner before, '' for nobody; else NULL
    owner                    TEXT               -- of an assignment: the owner since; else NULL
) STRICT;

INSERT INTO audit
    SELECT id, incident, execution, action, at, acting_user, before_status, before_version,
        before_closed_at, before_closed_by, before_conclusion_bytes, waived, before_owner, owner
    FROM audit_before;

DROP TABLE audit_before;

CREATE INDEX audit_by_incident ON audit (incident);

CREATE TRIGGER incident_deleted BEFORE DELETE ON incident
WHEN EXISTS (SELECT 1 FROM audit WHERE incident = OLD.id)
    OR EXISTS (SELECT 1 FROM ledger WHERE incident = OLD.id)
BEGIN SELECT RAISE(ABORT, 'an incident that the audit or a ledger refers to stays'); END;

CREATE TRIGGER execution_deleted BEFORE DELETE ON execution
WHEN EXISTS (SELECT 1 FROM ledger WHERE execution = OLD.id)
    OR EXISTS (SELECT 1 FROM audit WHERE execution = OLD.id)
BEGIN SELECT RAISE(ABORT, 'an execution that the audit or a ledger refers to stays'); END;

CREATE TRIGGER ledger_row_deleted BEFORE DELETE ON ledger_row
WHEN EXISTS (SELECT 1 FROM ledger WHERE row = OLD.id)
BEGIN SELECT RAISE(ABORT, 'a row that a ledger refers to stays'); END;
