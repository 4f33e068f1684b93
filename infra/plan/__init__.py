"""What can be known of a deploy before it runs."""
