"""The first call of a service, as programs that can be pasted and run with the values of here."""

import json
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

VARIABLE: Final = "API_TOKEN"
"""The environment variable that the programs read the API token from, where it is not shown."""
BODY: Final = {"gmAction": "QUERY", "grantId": "first-call", "accessToken": "first-call"}
EXPECTED: Final = "A279306"
"""The code of the answer: there is no such access token yet, but the call arrived."""


@dataclass(frozen=True)
class Program:
    """One program: the language, the name of its file, how it is run, and its text."""

    language: str
    file: str
    run: str
    text: str


def address(request: HttpRequest, service: int) -> str:
    """The URL of the call, at the host that the operator's browser reached: the one that the
    documents name. The URL's shorter form, without `auth/`, is what Django makes of its pattern.
    """
    try:
        path = reverse("grant_management:gm", args=[service])
    except NoReverseMatch:  # the API is served elsewhere, or its URLs have another namespace
        path = f"/api/{service}/gm"
    return request.build_absolute_uri(f"{path.removesuffix('gm')}auth/gm")


def programs(url: str, token: str = "") -> list[Program]:
    """The call to this URL in each language.

    `token` is the API token's value; without it the programs read it from the environment.
    """
    values = {"URL": url, "BODY": json.dumps(BODY)}
    return [_program(one, values, token) for one in _PROGRAMS]


def _program(one: tuple[str, ...], values: dict[str, str], token: str) -> Program:
    language, file, run, text, quoted, read = one
    shown = quoted.replace("TOKEN", token) if token else read
    for name, value in {**values, "SECRET": shown}.items():
        text = text.replace(f"<{name}>", value)
    return Program(language, file, run, text)


_CURL: Final = """\
curl -X POST '<URL>' \\
  -H "Authorization: Bearer <SECRET>" \\
  -H 'Content-Type: application/json' \\
  -d '<BODY>'
"""
_TYPESCRIPT: Final = """\
const response = await fetch("<URL>", {
  method: "POST",
  headers: {
    Authorization: `Bearer ${<SECRET>}`,
    "Content-Type": "application/json",
  },
  body: JSON.stringify(<BODY>),
});
console.log(response.status, await response.json());
"""
_PYTHON: Final = """\
import json
import os
import urllib.request

request = urllib.request.Request(
    "<URL>",
    data=json.dumps(<BODY>).encode(),
    headers={
        "Authorization": "Bearer " + <SECRET>,
        "Content-Type": "application/json",
    },
)
with urllib.request.urlopen(request) as response:
    print(response.status, response.read().decode())
"""
_JAVA: Final = """\
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class FirstCall {
    public static void main(String[] args) throws Exception {
        String body = <JAVA_BODY>;
        HttpRequest request = HttpRequest.newBuilder(URI.create("<URL>"))
            .header("Authorization", "Bearer " + <SECRET>)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> response = HttpClient.newHttpClient()
            .send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.statusCode() + " " + response.body());
    }
}
"""
_GO: Final = """\
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	body := strings.NewReader(`<BODY>`)
	request, err := http.NewRequest("POST", "<URL>", body)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+<SECRET>)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	fmt.Fprintln(os.Stdout, response.StatusCode, string(answer))
}
"""
# language, file, how to run it, text, the token's value where it is shown, how it is read where not
_PROGRAMS: Final = [
    ("curl", "first-call.sh", "sh first-call.sh", _CURL, "TOKEN", f"${VARIABLE}"),
    (
        "TypeScript",
        "first-call.mts",
        "node first-call.mts  # Node.js 22.18 or later",
        _TYPESCRIPT,
        '"TOKEN"',
        f"process.env.{VARIABLE}",
    ),
    (
        "Python",
        "first_call.py",
        "python3 first_call.py",
        _PYTHON,
        '"TOKEN"',
        f'os.environ["{VARIABLE}"]',
    ),
    (
        "Java",
        "FirstCall.java",
        "java FirstCall.java",
        _JAVA.replace("<JAVA_BODY>", json.dumps(json.dumps(BODY))),
        '"TOKEN"',
        f'System.getenv("{VARIABLE}")',
    ),
    ("Go", "first_call.go", "go run first_call.go", _GO, '"TOKEN"', f'os.Getenv("{VARIABLE}")'),
]
