"""How batches of events are sent: one object a line, or CSV with the fields that come up.

Invariant: what is no list of objects is sent as it is: the server tells what is wrong with it.
Not here: what an event may be (/openapi.json).
"""

import csv
import io
import json

import schemathesis


def rows(value):
    """A body's rows; nothing where it has none."""
    return value if isinstance(value, list) else [value]


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    if isinstance(value, bytes):
        return value
    return "\n".join(json.dumps(row) for row in rows(value)).encode()


@schemathesis.serializer("text/csv")
def table(ctx, value):
    if isinstance(value, bytes):
        return value
    objects = [row for row in rows(value) if isinstance(row, dict)]
    # A header always names what every row must have.
    names = list(dict.fromkeys(["block", "timestamp", "token"] + [name for row in objects for name in row]))
    text = io.StringIO()
    lines = csv.DictWriter(text, [name for name in names if name.isidentifier()], extrasaction="ignore", lineterminator="\n")
    lines.writeheader()
    lines.writerows({name: "" if cell is None else cell for name, cell in row.items()} for row in objects)
    return text.getvalue().encode("utf-8", "replace")
