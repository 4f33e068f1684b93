"""Training, processing and transform jobs that run."""
