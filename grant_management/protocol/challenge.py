"""Values of `WWW-Authenticate`: RFC 6750 §3 and RFC 9449 §7.1."""

from collections.abc import Sequence

from .results import printable


def challenge(
    error: str, description: str, *, scope: str = "", dpop_algs: Sequence[str] = ()
) -> str:
    """One challenge; its scheme is DPoP where `dpop_algs` are given, otherwise Bearer."""
    parameters = {"error": error, "error_description": description}
    if scope:
        parameters["scope"] = scope
    if dpop_algs:
        return _one("DPoP", parameters | {"algs": " ".join(dpop_algs)})
    return _one("Bearer", parameters)


def challenges_without_error(realm: str, dpop_algs: Sequence[str]) -> str:
    """For a request that authenticated with nothing at all (RFC 6750 §3.1)."""
    bearer = _one("Bearer", {"realm": realm})
    return f"{bearer}, {_one('DPoP', {'algs': ' '.join(dpop_algs)})}"


def _one(scheme: str, parameters: dict[str, str]) -> str:
    listed = ", ".join(f'{name}="{printable(value)}"' for name, value in parameters.items())
    return f"{scheme} {listed}"
