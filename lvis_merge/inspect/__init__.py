"""A manifest in the FiftyOne App: to look at, and to mark what is wrong."""
