-- Version 4 of the store: what an execution over a million incidents takes.

-- Parameters take megabytes, and every look at the row of an execution would read past them.
CREATE TABLE execution_parameters (
    execution INTEGER PRIMARY KEY REFERENCES execution (id),
    json      TEXT NOT NULL                     -- as given
) STRICT;

INSERT INTO execution_parameters SELECT id, parameters FROM execution;

ALTER TABLE execution DROP COLUMN parameters;

-- The lines of a ledger share their rows: most incidents of an execution end alike.

CREATE TABLE ledger_row (
    id      INTEGER PRIMARY KEY,
    result  TEXT NOT NULL CHECK (result IN ('Successful', 'Failed')),
    reason  TEXT,
    message TEXT,
    cells   TEXT NOT NULL                       -- JSON array, by the command's columns
) STRICT;

INSERT INTO ledger_row
    SELECT row_number() OVER (ORDER BY execution, sequence), result, reason, message, cells
    FROM ledger;

ALTER TABLE ledger RENAME TO ledger_before;

CREATE TABLE ledger (
    execution INTEGER NOT NULL REFERENCES execution (id),
    sequence  INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    incident  INTEGER REFERENCES incident (id), -- NULL where the site has no such incident
    number    TEXT,                             -- only where `incident` is NULL
    change    TEXT,                             -- what was done to the incident, NULL where nothing was
    row       INTEGER NOT NULL REFERENCES ledger_row (id),
    PRIMARY KEY (execution, sequence)
) STRICT, WITHOUT ROWID;

INSERT INTO ledger
    SELECT execution, sequence, position, incident, number, change,
        row_number() OVER (ORDER BY execution, sequence)
    FROM ledger_before;

DROP TABLE ledger_before;

-- The ledger as people ask for it.
CREATE VIEW ledger_line AS
    SELECT execution, sequence, position, incident, number, change, result, reason, message, cells
    FROM ledger JOIN ledger_row ON ledger_row.id = ledger.row;
