"""The story of a call of the grant management API."""
