"""The tables of the accounts.

Text is compared by code point (collation "C"), as everywhere in the program. `email_key` is the case-folded address.
`operations` remembers each use that was counted for as long as the account lives, so that no repetition counts, however
late; it costs about 100 bytes a use. The audit log refuses changes in the server itself, whoever asks, and also while
triggers are switched off for replication. `attempts_by_time` is for forgetting.
"""

FACTS = "ALTER TABLE accounts ADD COLUMN facts text NOT NULL DEFAULT '';"
ACCOUNTS = """
CREATE TABLE accounts (
    id text COLLATE "C" PRIMARY KEY,
    role text NOT NULL,
    plan text NOT NULL,
    created_at timestamptz NOT NULL,
    email text,
    password_hash text,
    expires_at timestamptz,
    disabled_at timestamptz,
    version bigint NOT NULL,
    pseudonym text NOT NULL,
    erased_at timestamptz,
    email_key text COLLATE "C" UNIQUE
);
CREATE INDEX accounts_erased ON accounts (id) WHERE erased_at IS NOT NULL;
CREATE INDEX accounts_expiring ON accounts (expires_at) WHERE role = 'guest';
CREATE TABLE subscriptions (
    id text COLLATE "C" PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    plan text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz
);
CREATE INDEX subscriptions_by_account ON subscriptions (account_id, starts_at);
CREATE TABLE usage (
    account_id text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    period date NOT NULL,
    resource text COLLATE "C" NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (account_id, period, resource)
);
CREATE TABLE operations (
    account_id text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    operation_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, operation_id)
);
CREATE TABLE sessions (
    id text COLLATE "C" PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    refresh_hash text NOT NULL,
    previous_refresh_hash text NOT NULL,
    rotated_at timestamptz,
    ended_at timestamptz,
    client text NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account_id, created_at);
CREATE TABLE second_factors (
    account_id text COLLATE "C" PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    secret text NOT NULL,
    confirmed_at timestamptz,
    last_step bigint NOT NULL
);
CREATE TABLE codes (
    account_id text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind text COLLATE "C" NOT NULL,
    hash text COLLATE "C" NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (account_id, kind, hash)
);
CREATE TABLE attempts (
    key text COLLATE "C" PRIMARY KEY,
    count bigint NOT NULL,
    last_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL
);
CREATE INDEX attempts_by_time ON attempts (last_at);
CREATE TABLE audit (
    at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    origin text NOT NULL,
    details text NOT NULL,
    mac text NOT NULL,
    seq bigint PRIMARY KEY
);
CREATE INDEX audit_by_actor ON audit (actor);
CREATE INDEX audit_by_action ON audit (action);
CREATE INDEX audit_by_target ON audit (target);
CREATE INDEX audit_by_time ON audit (at);
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_not_changed;
"""
