"""`report.html`: the drift report for people, of the same findings as `drift_report.json`."""
