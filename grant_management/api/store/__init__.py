"""The store over HTTP, for authorization servers in other languages."""
