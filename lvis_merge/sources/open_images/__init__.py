"""The Open Images folder: box, image and label CSVs, the class list and the hierarchy.

The tables are far larger than what a build keeps of them, so each is read in two passes: the first
checks every row and keeps what selection needs, the second fetches the rows of the chosen images.
"""
