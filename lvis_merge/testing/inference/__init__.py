"""A trained detector on a split: boxes and masks at one scale or several, resumable."""
