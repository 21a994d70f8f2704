-- Version 2 of the store: under which conditions the code of an execution ran. They are NULL for
-- executions of before.

ALTER TABLE execution ADD COLUMN trusted TEXT;       -- why its plugin might run: signed, locked, dev, beside the program, any
ALTER TABLE execution ADD COLUMN signing_key TEXT;   -- the id of the key whose signature it was trusted for, if it was
ALTER TABLE execution ADD COLUMN isolation TEXT;     -- where it ran: worker, in-process
ALTER TABLE execution ADD COLUMN unprotected TEXT;   -- the parts of the sandbox that its worker lacked, one a line
