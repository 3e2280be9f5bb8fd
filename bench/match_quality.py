"""How much better both opinions together find than either alone, and than PostgreSQL's full-text search.

nDCG@10 on the half of the development set that nothing was tuned on, through the command that users have.
"""

import json
import os
import subprocess
import tempfile

from bench.running import HUBNET, say

ABOVE_SINGLE, ABOVE_POSTGRES = 3.0, 15.0


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hubnet-quality-") as cache:
        words = ["--half", "report", "--peer", "postgres", "--cache", cache, "--json"]
        done = subprocess.run(
            [HUBNET, "match", "evaluate", *words],
            env={name: value for name, value in os.environ.items() if not name.startswith("HUBNET_")},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    told = json.loads(done.stdout)
    points = {way: 100 * told[way]["ndcg@10"] for way in ("lexical", "semantic", "fused", "postgres")}
    single = max(points["lexical"], points["semantic"])
    print(
        f"{told['queries']} needs: words {points['lexical']:.1f}, meaning {points['semantic']:.1f}, "
        f"fused {points['fused']:.1f}, PostgreSQL {points['postgres']:.1f}"
    )
    say(
        "match_quality",
        points["fused"],
        "nDCG@10 points",
        "the better of words and meaning alone",
        points["fused"] / single,
        **{way: round(value, 1) for way, value in points.items()},
        above_single=round(points["fused"] - single, 1),
        above_single_wanted=ABOVE_SINGLE,
        above_postgres=round(points["fused"] - points["postgres"], 1),
        above_postgres_wanted=ABOVE_POSTGRES,
        ratio_to_postgres=round(points["fused"] / points["postgres"], 3),
    )
