"""Retraining as people see it: what the governor decided and would decide now, and what people tell it."""
