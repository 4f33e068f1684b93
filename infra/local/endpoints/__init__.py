"""Endpoints that serve."""
