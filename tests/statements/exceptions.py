"""Statements that leave a table without its service, and why: by their place, and by the table."""

EXCEPTIONS = {
    (
        "grant_management/db/service_row.py OfService.refresh_from_db",
        "grant",
    ): "A host may read an instance without its service, which is then read by the key alone.",
    (
        "grant_management/management/commands/verify_events.py Command._without_chain",
        "eventchain",
    ): "It looks for services whose chain is gone: the chain's row has no service to name.",
}
