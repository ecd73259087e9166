"""The real sample of LVIS, COCO and Open Images builds, and every row equals its source file."""
