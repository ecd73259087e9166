"""`python -m lvis_merge`: the same as the `lvis-merge` command."""

from lvis_merge.cli import main

if __name__ == "__main__":
    main()
