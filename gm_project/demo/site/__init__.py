"""The demo's site: the standalone project, and a person's own pages with a login of theirs."""
