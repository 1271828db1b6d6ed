"""`run.py chaos`: load on real servers while faults are injected, judged by what was acknowledged.

Bounded, and on this machine alone.
"""
