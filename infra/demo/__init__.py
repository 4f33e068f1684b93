"""The demo: one real model through its whole life on this machine (`make demo`)."""
