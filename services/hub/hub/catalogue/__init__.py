"""Everything on offer in the region, as its owners tell it (联合目录)."""
