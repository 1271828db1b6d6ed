"""The server: its processes, its sockets and their deadlines.

`run.py` imports `children` and `listening`: these need the standard library alone.
"""
