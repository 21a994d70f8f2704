-- Version 1 of the store. Instants are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE site (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,
    time_zone TEXT NOT NULL                     -- an IANA name
) STRICT;

CREATE TABLE user (
    id        INTEGER PRIMARY KEY,
    username  TEXT NOT NULL UNIQUE,
    active    INTEGER NOT NULL CHECK (active IN (0, 1)),
    may_close INTEGER NOT NULL CHECK (may_close IN (0, 1))
) STRICT;

CREATE TABLE user_site (
    user INTEGER NOT NULL REFERENCES user (id),
    site INTEGER NOT NULL REFERENCES site (id),
    PRIMARY KEY (user, site)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
    id          INTEGER PRIMARY KEY,
    site        INTEGER NOT NULL REFERENCES site (id),
    number      TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('Open', 'In Progress', 'On Hold', 'Closed')),
    version     INTEGER NOT NULL DEFAULT 1,     -- grows with every change that this program makes, and with any change of a task or a field
    closed_at   INTEGER,
    closed_by   TEXT,
    closed_in   INTEGER REFERENCES execution (id), -- the execution that closed it; NULL: closed where it was imported from
    conclusion  TEXT NOT NULL DEFAULT '',       -- rich text (HTML)
    type        TEXT NOT NULL DEFAULT '',
    title       TEXT NOT NULL DEFAULT '',
    severity    TEXT NOT NULL DEFAULT '',
    owner       TEXT NOT NULL DEFAULT '',
    created_at  INTEGER,
    imported_at INTEGER NOT NULL,               -- how old the facts are
    UNIQUE (site, number)
) STRICT;

CREATE TABLE task (
    incident INTEGER NOT NULL REFERENCES incident (id),
    position INTEGER NOT NULL,
    title    TEXT NOT NULL,
    required INTEGER NOT NULL CHECK (required IN (0, 1)),
    status   TEXT NOT NULL,
    PRIMARY KEY (incident, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE field (
    incident          INTEGER NOT NULL REFERENCES incident (id),
    position          INTEGER NOT NULL,
    section           TEXT NOT NULL,
    name              TEXT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('Activity', 'Info Activity')),
    required_on_close INTEGER NOT NULL CHECK (required_on_close IN (0, 1)),
    visible           INTEGER NOT NULL CHECK (visible IN (0, 1)),
    value             TEXT NOT NULL,            -- JSON
    PRIMARY KEY (incident, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE execution (
    id                INTEGER PRIMARY KEY,
    execution_id      TEXT NOT NULL UNIQUE,     -- the id that people and clients see
    command           TEXT NOT NULL,
    plugin            TEXT NOT NULL,
    plugin_version    TEXT NOT NULL,
    plugin_digest     TEXT NOT NULL,            -- SHA-256 of the library, hexadecimal
    mode              TEXT NOT NULL CHECK (mode IN ('automatic', 'manual')),
    site              TEXT NOT NULL,
    requested_by      TEXT,
    acting_user       TEXT,                     -- NULL where it could not be resolved
    parameters        TEXT NOT NULL,            -- JSON, as given
    parameters_digest TEXT NOT NULL,            -- SHA-256 of their canonical form
    clock             INTEGER,                  -- the fixed clock it ran under, if any
    started_at        INTEGER NOT NULL,         -- by the real clock
    finished_at       INTEGER,
    lease_owner       TEXT,                     -- NULL: nobody runs it
    lease_until       INTEGER,
    state             TEXT NOT NULL CHECK (state IN ('running', 'interrupted', 'finished')),
    return_data       TEXT,
    error             TEXT,
    outputs           TEXT,                     -- JSON, name to value
    columns           TEXT NOT NULL             -- JSON: the columns of the rows in the ledger
) STRICT;

-- What became of each incident of an execution, failures too. Rows are appended in the order of
-- writing, which is that of the incidents; `position` is the incident's place in the input.
CREATE TABLE ledger (
    execution INTEGER NOT NULL REFERENCES execution (id),
    sequence  INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    incident  INTEGER REFERENCES incident (id), -- NULL where the site has no such incident
    number    TEXT,                             -- only where `incident` is NULL
    change    TEXT,                             -- what was done to the incident, NULL where nothing was
    result    TEXT NOT NULL CHECK (result IN ('Successful', 'Failed')),
    reason    TEXT,
    message   TEXT,
    cells     TEXT NOT NULL,                    -- JSON array, by the command's columns
    PRIMARY KEY (execution, sequence)
) STRICT, WITHOUT ROWID;

-- One entry for each change of an incident: what it was before, and what was waived for it.
CREATE TABLE audit (
    id                       INTEGER PRIMARY KEY,
    incident                 INTEGER NOT NULL REFERENCES incident (id),
    execution                INTEGER NOT NULL REFERENCES execution (id),
    action                   TEXT NOT NULL,
    at                       INTEGER NOT NULL,
    acting_user              TEXT NOT NULL,
    before_status            TEXT NOT NULL,
    before_version           INTEGER NOT NULL,
    before_closed_at         INTEGER,
    before_closed_by         TEXT,
    before_conclusion_bytes  INTEGER NOT NULL,  -- what was appended begins there
    waived                   TEXT               -- JSON: the tasks and fields waived, and by which bypass
) STRICT;

CREATE INDEX audit_by_incident ON audit (incident);

-- A fact that changes under a command's eyes changes the version, whoever changes it.
CREATE TRIGGER task_inserted AFTER INSERT ON task
BEGIN UPDATE incident SET version = version + 1 WHERE id = NEW.incident; END;
CREATE TRIGGER task_updated AFTER UPDATE ON task
BEGIN UPDATE incident SET version = version + 1 WHERE id IN (OLD.incident, NEW.incident); END;
CREATE TRIGGER task_deleted AFTER DELETE ON task
BEGIN UPDATE incident SET version = version + 1 WHERE id = OLD.incident; END;
CREATE TRIGGER field_inserted AFTER INSERT ON field
BEGIN UPDATE incident SET version = version + 1 WHERE id = NEW.incident; END;
CREATE TRIGGER field_updated AFTER UPDATE ON field
BEGIN UPDATE incident SET version = version + 1 WHERE id IN (OLD.incident, NEW.incident); END;
CREATE TRIGGER field_deleted AFTER DELETE ON field
BEGIN UPDATE incident SET version = version + 1 WHERE id = OLD.incident; END;
