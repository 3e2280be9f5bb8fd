"""`make bench` runs every figure; `make bench ARGS="intake"` runs one. Each ends with one JSON line."""

import importlib
import sys

FIGURES = ("startup", "intake", "match_latency", "match_quality", "assign")


def main() -> int:
    chosen = sys.argv[1:] or FIGURES
    unknown = set(chosen) - set(FIGURES)
    if unknown:
        print(f"no figure {', '.join(sorted(unknown))}; there are: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    for name in chosen:
        print(f"== {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
