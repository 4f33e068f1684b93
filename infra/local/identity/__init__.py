"""Who calls, whether they may, and the trail of it."""
