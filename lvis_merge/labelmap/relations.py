"""How a map row's two classes relate; `mappings/README.md` defines each.

The strongest first: a row states the first relation that holds between its two classes.
"""

RELATIONS = ("exact", "synonym", "plural", "spelling", "curated")
