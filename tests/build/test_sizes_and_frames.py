"""Where the sizes of Open Images pictures come from, and what a wrong one does."""
