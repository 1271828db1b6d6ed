"""The demo: a server with data of its own, and calls to it that are shown."""
