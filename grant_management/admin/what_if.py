"""The what-if tester: paste a call, see each check. Nothing is written and nothing is kept."""

import json
from dataclasses import asdict
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..endpoint.messages import GMRequest, GMResponse, parse_gm_request
from ..endpoint.trace import TracedStep, explain
from ..fields.reading import JSON
from ..models import Service
from ..protocol import strict_json
from ..protocol.results import Refused
from .call import shown_step
from .kit.content import READ, cut


class WhatIfForm(forms.Form):
    """The members of a call, or a whole body. The page does not show the token, the proof or the
    body again; a certificate is public.
    """

    body = forms.CharField(
        label=_("Whole JSON body, in place of all below"), required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    gm_action = forms.ChoiceField(
        label="gmAction", required=False, choices=[("QUERY", "QUERY"), ("REVOKE", "REVOKE")]
    )
    grant_id = forms.CharField(label="grantId", required=False, strip=False)
    access_token = forms.CharField(
        label="accessToken", required=False, strip=False, widget=forms.PasswordInput
    )
    dpop = forms.CharField(label="dpop", required=False, strip=False, widget=forms.PasswordInput)
    client_certificate = forms.CharField(
        label="clientCertificate", required=False, strip=False, widget=forms.Textarea
    )
    htm = forms.CharField(label="htm", required=False, strip=False)
    htu = forms.CharField(label="htu", required=False, strip=False)
    dpop_nonce_required = forms.BooleanField(label="dpopNonceRequired", required=False)

    def call(self) -> GMRequest:
        """The call that was pasted. Refused: the body cannot be read."""
        values: dict[str, Any] = dict(self.cleaned_data)
        body = values.pop("body")
        return parse_gm_request(JSON, body.encode()) if body else GMRequest(**values)


def ask(service: Service, form: WhatIfForm) -> dict[str, Any]:
    """The template's context: the checks as `steps` and the JSON text of the `answer`; or, where
    the body cannot be read, the message as `refused`.
    """
    try:
        answer, checks = explain(service, form.call())
    except Refused as refusal:
        return {"refused": refusal.message}
    return {"steps": _shown(checks), "answer": _pretty(answer)}


def _shown(checks: list[TracedStep]) -> list[dict[str, Any]]:
    return [shown_step(asdict(check)) for check in checks]


def _pretty(answer: GMResponse) -> str:
    """The answer as indented JSON, cut where it is too long: it may have a grant's content."""
    return cut(json.dumps(strict_json.loads(answer.as_json()), indent=2), READ)
