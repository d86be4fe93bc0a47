"""One file for each kind of phone client: a request to sent fixes, an outcome to an answer.

A dialect is pure: it knows no server and no database, and no other dialect.
"""
