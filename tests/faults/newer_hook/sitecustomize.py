"""Loaded by every Python process started with this folder on PYTHONPATH: its radtui is of the next schema."""

from radtui.store import schema, schema_version

schema_version.SCHEMA_VERSION += 1
schema.SCHEMA_VERSION = schema_version.SCHEMA_VERSION
_released = schema._migrations
GROWN = ("jobs", "cases", "ratings", "studies", "arms", "texts", "datasets")


def _next():
    migrations = _released()

    @migrations()
    def m_next(db):
        for table in GROWN:
            db.conn.execute(f"ALTER TABLE {table} ADD COLUMN colour TEXT NOT NULL DEFAULT ''")

    return migrations


schema._migrations = _next
