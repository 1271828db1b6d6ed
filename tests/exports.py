"""Files that were taken away, read as somebody would who checks that they are whole."""

import csv
import io
import json


def drop(response):
    """Close the file of an answer, and not the connection to the database, as a server would."""
    for close in response._resource_closers:
        close()


def body(response):
    return b"".join(response.streaming_content)


def read_csv(data):
    """The rows of a whole table: marked as UTF-8, each value in quotes, `end` and their number."""
    text = (data if isinstance(data, bytes) else body(data)).decode()
    assert text.startswith('\ufeff"')
    again = io.StringIO(newline="")
    csv.writer(again, quoting=csv.QUOTE_ALL).writerows(
        csv.reader(io.StringIO(text[1:], newline=""))
    )
    assert again.getvalue() == text[1:]
    *rows, end = csv.DictReader(io.StringIO(text[1:], newline=""))
    first, second, *others = end.values()
    assert (first, second) == ("end", str(len(rows)))
    assert set(others) <= {""}
    return rows


def read_json_lines(data):
    """The records before the last one, which says how many they are."""
    text = (data if isinstance(data, bytes) else body(data)).decode()
    assert text.endswith("\n")
    *records, end = [json.loads(line) for line in text.splitlines()]
    assert end == {"type": "end", "records": len(records)}
    return records
