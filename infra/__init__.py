"""The control plane: from one file a model to what is deployed, and the same on one machine."""
