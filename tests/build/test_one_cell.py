"""A change of one cell in any column of any table is noticed."""
