"""Who is who: employers, people, drivers, phones, trucks, and who had which when.

Owns employers and their settings, the people who sign in and their roles, drivers,
devices and their tokens, trucks, the intervals that tie them together, duty marks, API
keys and the audit trail. Freezing a driver lives here too, because every other app must
obey it.

Imports no other app. Start reading in models.py, then permissions.py.
"""
