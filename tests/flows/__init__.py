"""Stories that cross the apps, told on the real database or by real processes."""
