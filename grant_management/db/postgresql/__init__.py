"""A database backend: Django's for PostgreSQL, with a bound on every wait for the server.

A host uses it by `"ENGINE": "grant_management.db.postgresql"`. The reference of the database has
its options.
"""
