"""CloudWatch alarms that act."""
