"""The `authorize` program of the conformance suite, for the example server: a client, and Ann.

Its argument is what `seed.py` of the example said.
"""

import json
import os
import sys

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

from tests.example import Browser, parameters


def main():
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    seeded, asked = json.loads(sys.argv[1]), json.load(sys.stdin)
    application = seeded["clients"][0]
    ids = application["client_id"], application["client_secret"]
    session = OAuth2Session(
        *ids,
        scope=asked.pop("scope"),
        redirect_uri=seeded["redirect_uri"],
        code_challenge_method="S256",
    )
    verifier = generate_token(48)
    url, _ = session.create_authorization_url(
        f"{seeded['base']}/o/authorize/", code_verifier=verifier, **asked
    )
    location = Browser(seeded["base"], **seeded["users"][0]).authorize(url)
    answer = parameters(location)
    if "error" not in answer:
        tokens = session.fetch_token(
            f"{seeded['base']}/o/token/", authorization_response=location, code_verifier=verifier
        )
        answer = dict(tokens) | {"authorization_response": answer}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
