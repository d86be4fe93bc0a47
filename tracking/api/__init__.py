"""The API's reading half: histories, timelines, the fleet, quarantine, and linking again."""
