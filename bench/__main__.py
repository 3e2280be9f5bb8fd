"""`make bench` runs every figure; `make bench ARGS="intake"` runs one. Each ends with one JSON line."""

import importlib
import os
import sys

FIGURES = (
    "startup", "intake", "match_latency", "match_quality", "match_speed", "match_freshness", "assign",
    "snapshot_import", "drift_check",
    "sync_initial", "sync_steady", "backlog",
)  # fmt: skip
# As every service of a network has it: numeric libraries that wait for each other's threads are slow.
ALONE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> int:
    chosen = sys.argv[1:] or FIGURES
    unknown = set(chosen) - set(FIGURES)
    if unknown:
        print(f"no figure {', '.join(sorted(unknown))}; there are: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    for variable in ALONE:
        os.environ.setdefault(variable, "1")
    for name in chosen:
        print(f"== {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
