"""What a driver was asked to do, and the stages that say it was done.

Owns missions, their stops and sites, who drives them when (mission assignments), and the
append-only stage events. The allowed status moves are one table in lifecycle.py.

May import accounts. Start reading in models.py, then lifecycle.py.
"""
