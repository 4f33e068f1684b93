"""The local cloud: AWS APIs on one machine, with a data plane that really runs."""
