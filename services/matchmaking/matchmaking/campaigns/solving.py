"""`python -m matchmaking.campaigns.solving`: a problem as JSON in, its solution as JSON out.

A process of its own, so that the service neither carries the solver nor waits for it.
"""

import sys

from matchmaking.campaigns.assignment import solve
from matchmaking.campaigns.problem import Problem


def main() -> None:
    problem = Problem.model_validate_json(sys.stdin.buffer.read())
    sys.stdout.buffer.write(solve(problem).model_dump_json().encode())


if __name__ == "__main__":
    main()
