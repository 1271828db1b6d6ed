"""The peers and floors that the endpoint is compared with."""
