"""A transmitter of Shared Signals (OpenID SSF 1.0): its metadata, streams and polls."""
