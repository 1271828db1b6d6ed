"""Import and export, as JSON Lines, of grants, tokens and the tenants that they belong to."""
