"""What a model will cost a month, told from its file before anything is deployed: an estimate, never a bill."""
