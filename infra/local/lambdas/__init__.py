"""Lambda functions that run their own code."""
