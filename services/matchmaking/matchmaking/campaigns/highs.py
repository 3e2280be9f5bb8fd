"""The two calls to HiGHS: the relaxation with its prices, and branch and bound."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack, vstack

from matchmaking.campaigns.formulation import Formulation, Row, Vector
from matchmaking.campaigns.problem import TOLERANCE

Mask = NDArray[np.bool_]
# SciPy names one bound a float where it takes one for each column as well.
_Limits: Any = LinearConstraint
_Bounds: Any = Bounds

SOLVED, TIME_UP, INFEASIBLE = 0, 1, 2


def upper(given: Formulation) -> Vector:
    """No pair is taken more than once; of their number there is no limit."""
    return np.array([1.0] * given.total + [np.inf])


def chosen(given: Formulation, x: Vector) -> frozenset[int] | None:
    """The pairs taken; None where one is taken in part."""
    pairs = x[: given.total]
    if np.any(np.abs(pairs - np.round(pairs)) > TOLERANCE):
        return None
    return frozenset(np.flatnonzero(pairs > 0.5).tolist())


def relax(
    given: Formulation,
    rows: Sequence[Row],
    costs: Vector,
    *,
    tight: Mask | None = None,
    low: Vector | None = None,
    high: Vector | None = None,
) -> Any:
    """The linear relaxation, at a corner (`highs-ds` is the dual simplex). Shape: `tight` marks equalities."""
    matrix, most = given.matrix(rows)
    equal = np.zeros(len(rows), dtype=np.bool_) if tight is None else tight
    low = np.zeros(given.total + 1) if low is None else low
    high = upper(given) if high is None else high
    return linprog(
        costs,
        A_ub=matrix[~equal],
        b_ub=most[~equal],
        A_eq=vstack([given.counting(), matrix[equal]], format="csr"),
        b_eq=np.concatenate([[0.0], most[equal]]),
        bounds=np.column_stack([low, high]),
        method="highs-ds",
        options={"time_limit": given.problem.time_limit_s},
    )


def shortfall(given: Formulation, rows: Sequence[Row]) -> Any:
    """By how much minimums must give way, the least that does; its prices prove a clash (Farkas)."""
    matrix, most = given.matrix(rows)
    give = csr_array(np.where(most < 0, -1.0, 0.0).reshape(-1, 1))
    counting = hstack([given.counting(), csr_array((1, 1))], format="csr")
    bounds = np.column_stack([np.zeros(given.total + 2), np.append(upper(given), np.inf)])
    return linprog(
        np.append(np.zeros(given.total + 1), 1.0),
        A_ub=hstack([matrix, give], format="csr"),
        b_ub=most,
        A_eq=counting,
        b_eq=[0.0],
        bounds=bounds,
        method="highs-ds",
        options={"time_limit": given.problem.time_limit_s},
    )


def branch(
    given: Formulation,
    rows: Sequence[Row],
    costs: Vector,
    *,
    time_limit_s: float,
    gap: float,
    high: Vector | None = None,
) -> Any:
    """The problem in whole numbers. Shape: a column whose `high` is 0 is left out."""
    limits = [_Limits(given.counting(), 0.0, 0.0)]
    if rows:
        matrix, most = given.matrix(rows)
        limits.append(_Limits(matrix, -np.inf, most))
    return milp(
        costs,
        integrality=np.array([1] * given.total + [0]),
        bounds=_Bounds(np.zeros(given.total + 1), upper(given) if high is None else high),
        constraints=limits,
        options={"time_limit": time_limit_s, "mip_rel_gap": gap},
    )
