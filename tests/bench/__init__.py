"""Measurements of one run on one machine: `make bench`.

Each step is one file's `measure(bench)` and returns figures; `__main__.py` lists them.
Everything runs on a PostgreSQL of its own under var/bench, durable as in the product, so
that a ratio compares two numbers of the same disk, the same minute and the same table.
The last full result is kept in last_result.json.
"""
