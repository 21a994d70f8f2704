-- Version 5 of the store: incidents are assigned, and the audit tells from whom to whom.

ALTER TABLE audit ADD COLUMN before_owner TEXT;      -- of an assignment: the owner before, '' for nobody; else NULL
ALTER TABLE audit ADD COLUMN owner TEXT;             -- of an assignment: the owner since; else NULL
