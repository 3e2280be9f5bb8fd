"""Why a result is as it is, why something is not in it, and the same result once more."""
