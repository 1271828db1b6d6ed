"""What a worker does beside answering calls: it beats, ends late connections, and leaves."""

import importlib
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final

from gm_project.serving import pages, tcp
from gm_project.serving.beats import BEAT, Beats
from gm_project.serving.leaving import Leaving
from gm_project.serving.reaper import Reaper
from grant_management.api.health import drain

GRACE: Final = 10.0
"""Seconds that a worker has for the calls in hand, once it is told to end."""


def load(application: str) -> Any:
    """The WSGI application at a path such as "gm_project.wsgi:application"."""
    module, _, name = application.partition(":")
    return getattr(importlib.import_module(module), name)


def begin(
    load: Callable[[], Any],
    beats: Beats,
    slot: int,
    told: "Connection[bytes, bytes]",
    listening: socket.socket,
    deadline: float,
) -> Any:
    """In a worker: load the application, and start the threads that run as long as the process.

    It ignores Ctrl+C, which reaches every process of a terminal: only the main process handles it,
    and ends the workers. It would take a worker that ended by itself for an error.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    application = Leaving(load())
    reaper = Reaper(listening.getsockname()[1], deadline, pages.is_at_work)
    _in_background(_end_with_parent)
    _in_background(_beat, beats, slot, reaper.look if tcp.are_known(listening) else lambda: None)
    _in_background(_leave_when_told, told, application, listening)
    return beats.counting(slot, application)


def _in_background(function: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def _beat(beats: Beats, slot: int, look: Callable[[], None]) -> None:
    """Beat, and end late connections. An error there ends the beat, and so the worker."""
    while True:
        beats.beat(slot)
        if beats.are_draining:
            drain()
        look()
        time.sleep(BEAT)


def _leave_when_told(
    told: "Connection[bytes, bytes]", application: Leaving, listening: socket.socket
) -> None:
    told.recv_bytes()
    try:
        application.leave(listening)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)  # granian finishes the calls in hand, and ends


def _end_with_parent() -> None:
    """End this worker when its parent has ended: nothing would stop or replace it any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)
