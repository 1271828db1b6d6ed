"""The operator's program that stands in for the client and its user."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import IO, Any

from ..protocol import strict_json
from .deadline import within
from .verdict import Failure

MAX_OUTPUT = 1024 * 1024
WHO = "the 'authorize' program"
REPAIR = "Run the 'authorize' program by hand: it has to print the token response, or the error."


def run(line: Sequence[str], given: bytes, timeout: float) -> dict[str, Any]:
    """Run the program with `given` as its standard input; the JSON object that it prints.

    Failure: it takes longer than `timeout` seconds, exits with a status other than 0, or does not
    print an object. Its standard error is discarded: it may show tokens that nothing here could
    hide.
    """
    # A session of its own, so that processes that the program started end with it.
    with subprocess.Popen(  # noqa: S603 - the operator's own program
        line,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as program:
        try:
            output = within(timeout, WHO, lambda: _converse(program, given))
        finally:
            _end(program)
    if len(output) > MAX_OUTPUT:
        raise Failure(f"{WHO} printed more than {MAX_OUTPUT} bytes", REPAIR)
    if program.returncode:
        raise Failure(f"{WHO} exited with status {program.returncode}", REPAIR)
    return _members(output)


def _converse(program: subprocess.Popen[bytes], given: bytes) -> bytes:
    """The output of the program, cut off one byte above the limit."""
    assert program.stdin is not None  # noqa: S101 - for the types: both are pipes
    assert program.stdout is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError), program.stdin:
        program.stdin.write(given)
    output = _read(program.stdout)
    if len(output) <= MAX_OUTPUT:  # else it may print for ever, and is killed
        program.wait()
    return output


def _read(source: IO[bytes]) -> bytes:
    output = bytearray()
    while part := source.read(MAX_OUTPUT + 1 - len(output)):
        output += part
    return bytes(output)


def _end(program: subprocess.Popen[bytes]) -> None:
    if program.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)


def _members(output: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(output)
    except ValueError as error:
        raise Failure(f"{WHO} printed no JSON: {error}", REPAIR) from None
    if not isinstance(value, dict):
        raise Failure(f"{WHO} printed JSON that is no object", REPAIR)
    return value
