"""Pure lookups over official data. Every figure is dated and marked in data/SOURCES.md."""
