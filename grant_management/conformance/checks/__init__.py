"""The checks, by section of the draft. The last ones revoke the grant under test."""

from . import authorization, endpoint, metadata, revocation

CHECKS = (*metadata.CHECKS, *authorization.CHECKS, *endpoint.CHECKS, *revocation.CHECKS)
