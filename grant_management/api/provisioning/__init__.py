"""The API that issues API tokens, in the shapes of Authlete's provisioning API."""
