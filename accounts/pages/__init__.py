"""Pages on which an employer keeps its people, trucks, keys and settings."""
