"""Register of every demand of the region (案件登记)."""
