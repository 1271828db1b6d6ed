"""Statements that leave a table without its service, and why: by their place, and by the table."""

EXCEPTIONS = {
    (
        "grant_management/db/service_row.py OfService.refresh_from_db",
        "grant",
    ): "A host may read an instance without its service, which is then read by the key alone.",
}
