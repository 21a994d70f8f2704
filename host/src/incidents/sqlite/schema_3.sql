-- Version 3 of the store: the keys of remote clients, and which of them began an execution.

CREATE TABLE api_key (
    id            INTEGER PRIMARY KEY,
    public_id     TEXT NOT NULL UNIQUE,         -- the part of the key that is no secret
    name          TEXT NOT NULL,
    secret_digest BLOB,                         -- SHA-256 of the secret
    sealed_secret BLOB,                         -- or, of a key that signs: the secret, under the server's key
    commands      TEXT,                         -- JSON array; NULL: any
    sites         TEXT,                         -- JSON array; NULL: any
    users         TEXT,                         -- JSON array; NULL: any
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER,
    last_used_at  INTEGER,
    CHECK ((secret_digest IS NULL) <> (sealed_secret IS NULL))
) STRICT;

-- A name can be given again once its key is revoked.
CREATE UNIQUE INDEX api_key_by_name ON api_key (name) WHERE revoked_at IS NULL;

ALTER TABLE execution ADD COLUMN api_key INTEGER REFERENCES api_key (id); -- NULL: not begun by a remote request
