"""A built manifest opens as pandas, Arrow and daft tables in one line each."""
