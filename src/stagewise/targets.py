"""What one claim needs to be judged by itself, so that its id is a target of the workflow."""

from dataclasses import dataclass
from typing import Any

from stagewise.claims import CLAIMS, Claim
from stagewise.claims.registry import experiments_of
from stagewise.plan import Plan


@dataclass(frozen=True)
class ClaimTarget:
    """A claim with the files that its verdict is made from and goes to."""

    plan: Plan
    claim: Claim

    @property
    def experiments(self) -> tuple[str, ...]:
        """Experiments that the claim reads."""
        return experiments_of(self.claim)

    @property
    def shards(self) -> list[str]:
        """Trajectories of those experiments."""
        return [path for name in self.experiments for path in self.plan.shards(name)]

    @property
    def summarised(self) -> list[str]:
        """Those of them whose curves over training are kept."""
        return [name for name in self.plan.summarised_experiments() if name in self.experiments]

    @property
    def forecasting(self) -> dict[str, dict[str, Any]]:
        """Those of them whose learning times are forecast, with what the forecasts depend on."""
        every = self.plan.forecasting()
        return {name: each for name, each in every.items() if name in self.experiments}

    @property
    def moments(self) -> list[str]:
        """Moments that the forecasts are made from, each file once."""
        paths = (path for name in self.forecasting for path in self.plan.moments_of(name))
        return list(dict.fromkeys(paths))

    @property
    def tables(self) -> dict[str, str]:
        """Tables that the claim reads beside the runs."""
        return self.plan.aggregates(self.claim.tables)

    @property
    def verdict(self) -> str:
        """File of the verdict."""
        return f"{self.plan.results}/verdicts/{self.claim.id}.json"


def claim_targets(plan: Plan) -> dict[str, ClaimTarget]:
    """The claims by id whose experiments the configuration has."""
    targets = (ClaimTarget(plan, claim) for claim in CLAIMS)
    return {
        each.claim.id: each
        for each in targets
        if set(each.experiments) <= set(plan.config.experiments)
    }
