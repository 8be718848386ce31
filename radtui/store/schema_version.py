"""The number of the newest migration, apart from the tables, which opening an up-to-date database does not need."""

SCHEMA_VERSION = 6
