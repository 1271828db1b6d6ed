"""`run.py chaos`: load on real servers while faults are injected, judged by what was acknowledged.

It takes a bounded time, and stays on this machine.
"""
