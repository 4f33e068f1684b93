"""Application Auto Scaling that acts."""
