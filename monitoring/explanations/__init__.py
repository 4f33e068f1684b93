"""What the model goes by: each input's exact contribution to the scores of a sample, now and in training."""
