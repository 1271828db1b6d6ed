"""Values of `WWW-Authenticate`: RFC 6750 §3 and RFC 9449 §7.1."""

from collections.abc import Sequence

from .results import Refused, printable


def challenge_of(
    refusal: Refused,
    *,
    realm: str = "",
    algs: Sequence[str] = (),
    is_key_bound: bool = False,
    scope: str = "",
) -> str:
    """The challenge of a refusal, on one line.

    `algs` are the algorithms that the service accepts for proofs. The scheme is DPoP where the
    access token `is_key_bound`, else Bearer. A refusal whose result has no error (the request had
    no access token) gets both schemes, with the `realm` (RFC 6750 §3.1). `scope` is the scope that
    the token lacks, or "".
    """
    error = refusal.result.error
    if error is None:
        return f"{_one('Bearer', {'realm': realm})}, {_one('DPoP', {'algs': ' '.join(algs)})}"
    parameters = {"error": error, "error_description": refusal.message}
    if scope:
        parameters["scope"] = scope
    if is_key_bound and algs:
        return _one("DPoP", parameters | {"algs": " ".join(algs)})
    return _one("Bearer", parameters)


def _one(scheme: str, parameters: dict[str, str]) -> str:
    listed = ", ".join(f'{name}="{printable(value)}"' for name, value in parameters.items())
    return f"{scheme} {listed}"
