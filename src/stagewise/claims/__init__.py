"""Claims and their verdicts; a claim puts a prediction beside a measurement."""

from stagewise.aggregates import Aggregates
from stagewise.claims import cao2022, depth, forecast, gidel2019, ours, reviews, saddles
from stagewise.claims.registry import Claim, Judgement, Measurement, judge

_SOURCES = ("gidel2019", "reviews", "cao2022", "ours")
_ALL = (
    *gidel2019.CLAIMS,
    *reviews.CLAIMS,
    *cao2022.CLAIMS,
    *ours.CLAIMS,
    *forecast.CLAIMS,
    *saddles.CLAIMS,
    *depth.CLAIMS,
)
CLAIMS: tuple[Claim, ...] = tuple(sorted(_ALL, key=lambda claim: _SOURCES.index(claim.source)))


def judge_all(aggregates: Aggregates) -> list[Judgement]:
    """A verdict for every claim of the registry, in its order."""
    return [judge(claim, aggregates) for claim in CLAIMS]


__all__ = ["CLAIMS", "Claim", "Judgement", "Measurement", "judge", "judge_all"]
