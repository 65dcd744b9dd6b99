"""Claims and their verdicts; a claim puts a prediction beside a measurement."""

from stagewise.claims import (
    cao2022,
    depth,
    forecast,
    generalisation,
    gidel2019,
    ours,
    path,
    reviews,
    saddles,
)
from stagewise.claims.registry import Claim, Judgement, Measurement, judge
from stagewise.errors import StagewiseError
from stagewise.store.aggregates import Aggregates

_SOURCES = ("gidel2019", "reviews", "lampinen2018", "cao2022", "ours")
_MODULES = (gidel2019, path, reviews, generalisation, cao2022, ours, forecast, saddles, depth)
_ALL = tuple(claim for module in _MODULES for claim in module.CLAIMS)
CLAIMS: tuple[Claim, ...] = tuple(sorted(_ALL, key=lambda claim: _SOURCES.index(claim.source)))


def claim_named(name: str) -> Claim:
    """The claim of this id; StagewiseError if there is none."""
    claim = next((each for each in CLAIMS if each.id == name), None)
    if claim is None:
        known = ", ".join(each.id for each in CLAIMS)
        raise StagewiseError(f"There is no claim {name!r}; there are {known}.")
    return claim


def judge_all(aggregates: Aggregates) -> list[Judgement]:
    """A verdict for every claim of the registry, in its order."""
    return [judge(claim, aggregates) for claim in CLAIMS]


__all__ = ["CLAIMS", "Claim", "Judgement", "Measurement", "claim_named", "judge", "judge_all"]
