"""Authlete's management operations on what this store has: services, clients, tokens, consents."""
