"""Run in the example's project: each line of standard input is code, as JSON; what it leaves in
`result` comes back, or the traceback.
"""

import json
import sys
import traceback

import django

django.setup()
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    names = {}
    try:
        exec(json.loads(line), names)
        answer = [True, names.get("result")]
    except Exception:  # noqa: BLE001 - the test says what was wrong
        answer = [False, traceback.format_exc()]
    print(json.dumps(answer, default=str), flush=True)
