"""The machine's way to missions: one module for each thing below /api/v1/."""
