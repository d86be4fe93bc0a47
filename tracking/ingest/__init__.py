"""The lean ASGI application that answers phones: no Django, no ORM, no DRF.

    phone -> app -> its dialect -> judge -> group commit -> record.sql -> COMMIT -> answer

Owns the way from a request to a stored fix. Imports only pure files of other apps (the
names of stages and duty marks). Start reading in app.py, then record.sql.
"""
