"""What tells the store from every other; it stays the same when the store is carried to another place."""

IDENTITY = """
CREATE TABLE identity (value text NOT NULL, moves bigint NOT NULL);
INSERT INTO identity VALUES (replace(gen_random_uuid()::text, '-', ''), 0);
"""
