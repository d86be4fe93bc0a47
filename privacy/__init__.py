"""What we owe the driver.

Owns policies and consents, rights requests, export, erasure, retention and the inventory
of everything held about a person. What it decides it writes as state into tables of
accounts; lower apps read it there.

May import tracking, missions and accounts; nobody imports it.
"""
