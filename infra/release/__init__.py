"""From a registered version to what is live: list, approve, promote, verify."""
