"""Where the driver was.

Owns the fixes and everything between a phone and a history: the ingest application, the
links from a fix to driver, truck and mission, the monthly partitions, histories,
timelines, export formats and the map pages.

May import missions and accounts. Start reading in ingest/app.py for the way in and
histories.py for the way out.
"""
