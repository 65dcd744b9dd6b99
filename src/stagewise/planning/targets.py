"""What one claim needs to be judged by itself, so that its id is a target of the workflow."""

from dataclasses import dataclass

from stagewise.claims import CLAIMS, Claim
from stagewise.claims.registry import experiments_of
from stagewise.planning.plan import AGGREGATES, Plan


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
    def tables(self) -> dict[str, list[str]]:
        """Tables that the claim may read, by the aggregate's name, of its experiments alone."""
        parts = {name: self.plan.parts(name, self.experiments) for name in AGGREGATES}
        others = self.plan.aggregates(self.claim.tables)
        return parts | {name: [path] for name, path in others.items()}

    @property
    def verdict(self) -> str:
        """File of the verdict."""
        return self.plan.verdict(self.claim.id)


def claim_targets(plan: Plan) -> dict[str, ClaimTarget]:
    """The claims by id whose experiments the configuration has."""
    targets = (ClaimTarget(plan, claim) for claim in CLAIMS)
    return {
        each.claim.id: each
        for each in targets
        if set(each.experiments) <= set(plan.config.experiments)
    }
