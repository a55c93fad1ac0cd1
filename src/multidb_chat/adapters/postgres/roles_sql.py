"""The statements that make the roles and give them their rights; each can be run again.

Everything is named by identifiers and literals that psycopg quotes. Blocks of PL/pgSQL ask first what there is, so that
the same text serves a database before its first tables, one that is in use, and one after an upgrade.
"""

from collections.abc import Iterator, Mapping

from psycopg import sql

from multidb_chat.domain.database_roles import RoleNames

APPEND_ONLY = "audit"
READABLE = ("corpus_documents", "corpus_terms", "corpus_sentences")
"""What the reader may read."""
_ROLE = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN
            CREATE ROLE {role} {how};
        END IF;
    END $$"""
# To hand something over one has to be a member of the role that gets it; a superuser is one of every role.
_MEMBER = """
    DO $$ BEGIN
        IF NOT pg_has_role({owner_name}, 'USAGE') THEN
            GRANT {owner} TO CURRENT_USER;
        END IF;
    END $$"""
_SCHEMA = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = {schema_name}) THEN
            CREATE SCHEMA {schema};
        END IF;
    END $$"""
_HAND_OVER = """
    DO $$ DECLARE command text; BEGIN
        FOR command IN
            SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, {owner_name}) FROM pg_namespace
            WHERE nspname = {schema_name} AND pg_get_userbyid(nspowner) <> {owner_name}
            UNION ALL
            SELECT format('ALTER %s %I.%I OWNER TO %I', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                nspname, relname, {owner_name})
            FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = {schema_name} AND relkind IN ('r', 'v') AND pg_get_userbyid(relowner) <> {owner_name}
            UNION ALL
            SELECT format('ALTER FUNCTION %s OWNER TO %I', pg_proc.oid::regprocedure, {owner_name})
            FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
            WHERE nspname = {schema_name} AND pg_get_userbyid(proowner) <> {owner_name}
        LOOP
            EXECUTE command;
        END LOOP;
    END $$"""
_USE = "GRANT USAGE ON SCHEMA {schema} TO {app}, {reader}"
# What a role has too much is taken away in the same transaction in which it gets what it needs.
_RIGHTS = """
    DO $$ DECLARE command text; BEGIN
        FOR command IN
            SELECT format('REVOKE ALL ON %1$I.%2$I FROM %4$I, %5$I; GRANT %3$s ON %1$I.%2$I TO %4$I', nspname, relname,
                CASE WHEN relname = {append_only} THEN 'SELECT, INSERT'
                    WHEN relname = 'schema_migrations' OR relkind = 'v' THEN 'SELECT'
                    ELSE 'SELECT, INSERT, UPDATE, DELETE' END,
                {app_name}, {reader_name})
            FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = {schema_name} AND relkind IN ('r', 'v')
            UNION ALL
            SELECT format('GRANT SELECT ON %I.%I TO %I', nspname, relname, {reader_name})
            FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = {schema_name} AND relname = ANY({readable})
        LOOP
            EXECUTE command;
        END LOOP;
    END $$"""
# What an upgrade adds can be used at once.
_LATER = (
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}"
)

# New tables get the rights of `_LATER`, which are too many for the two that record what was done.
RECORDS_ARE_THE_OWNERS = """
    DO $$ DECLARE command text; BEGIN
        FOR command IN
            SELECT format('REVOKE %s ON %s FROM %I', privilege_type, pg_class.oid::regclass, pg_get_userbyid(grantee))
            FROM pg_class, aclexplode(relacl)
            WHERE relnamespace = CURRENT_SCHEMA::regnamespace AND grantee NOT IN (relowner, 0)
                AND (relname = 'audit' AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')
                    OR relname = 'schema_migrations' AND privilege_type <> 'SELECT')
        LOOP
            EXECUTE command;
        END LOOP;
    END $$"""
"""What ends an upgrade: roles that do not own the tables may append to the audit log, and read what was upgraded."""


def statements(names: RoleNames, schema: str, verifiers: Mapping[str, str]) -> Iterator[sql.Composed]:
    """Yield what makes the roles; `verifiers` are the hashed passwords of those that log in and are new."""
    words = {
        "owner": sql.Identifier(names.owner),
        "app": sql.Identifier(names.app),
        "reader": sql.Identifier(names.reader),
        "schema": sql.Identifier(schema),
        "owner_name": sql.Literal(names.owner),
        "app_name": sql.Literal(names.app),
        "reader_name": sql.Literal(names.reader),
        "schema_name": sql.Literal(schema),
        "append_only": sql.Literal(APPEND_ONLY),
        "readable": sql.Literal(list(READABLE)),
    }
    for role in (names.owner, names.app, names.reader):
        how: sql.Composable = sql.SQL("NOLOGIN" if role == names.reader else "LOGIN")
        if role in verifiers:
            how = sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(verifiers[role]))
        yield sql.SQL(_ROLE).format(name=sql.Literal(role), role=sql.Identifier(role), how=how)
    for statement in (_MEMBER, _SCHEMA, _HAND_OVER, _USE, _RIGHTS, _LATER):
        yield sql.SQL(statement).format(**words)
