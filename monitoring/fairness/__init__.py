"""Whether a classifier's answers differ by declared groups: each measure is a file, over counts that add up."""
