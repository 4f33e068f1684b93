"""The pure core of serving: no HTTP, and what is evaluated and monitored goes through it as well."""
