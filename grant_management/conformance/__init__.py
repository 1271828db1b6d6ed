"""A conformance suite for "Grant Management for OAuth 2.0" (draft 03), for any server.

`python -m grant_management.conformance CONFIG.toml [--json FILE] [--junit FILE]`
"""
