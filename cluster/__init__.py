"""`run.py cluster`: PostgreSQL under Patroni, HAProxy, PgBouncer and two servers, on loopback."""
