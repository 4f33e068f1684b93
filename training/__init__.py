"""The training image: prepare, train, evaluate."""
