"""How a study is declared: what it asks, which tables it reads, its figure and its claims.

A function is given the tables that it declares, in that order, and can reach no others. What is
declared is what the workflow builds, what a cost is counted from, and what the page says.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from stagewise.dynamics.observables import OBSERVABLES, Observable
from stagewise.studies.common.conditions import Condition

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Source = Literal["gidel2019", "reviews", "lampinen2018", "cao2022", "practice", "ours"]
SOURCES: dict[Source, str] = {
    "gidel2019": "Gidel, Bach, Lacoste-Julien 2019",
    "reviews": "Questions of its reviewers",
    "lampinen2018": "Lampinen, Ganguli 2019",
    "cao2022": "Cao et al. 2022",
    "practice": "What practice asks",
    "ours": "Results of this project",
}
"""Who claims something: key in `claims.json` and name on the page, in the page's order."""
Kind = Literal[
    "learning_times",
    "trajectory_summary",
    "stages",
    "plateaus",
    "references",
    "teachers",
    "training",
    "assumption",
]
RECORDED = ("learning_times", "trajectory_summary")
"""Tables whose columns or curves each come from an observable; see `schemas.measured_from`."""
IntervalKind = Literal["95 % confidence", "range"]


@dataclass(frozen=True)
class Table:
    """A table that a figure or a claim reads.

    kind : which table. experiments : sections of the config whose rows are read; all of them are
    needed (none for "assumption", which has a row per data set). optional : sections whose rows
    are read where the run has them. datasets : only rows of these data sets; None means all.
    observables : what the runs record for it; columns and curves of others are not in the table.
    """

    kind: Kind
    experiments: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    datasets: tuple[str, ...] | None = None
    observables: tuple[Observable, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"{self.kind!r} is no table; there are {', '.join(get_args(Kind))}")
        if self.kind != "assumption" and not self.experiments + self.optional:
            raise ValueError(f"{self.kind} needs the names of the experiments whose rows are read")
        if self.kind in RECORDED and not self.observables:
            raise ValueError(f"{self.kind} needs the observables that are read: of=(…)")
        unknown = sorted(set(self.observables) - set(OBSERVABLES))
        if unknown:
            known = ", ".join(OBSERVABLES)
            raise ValueError(f"{', '.join(unknown)} cannot be recorded; there are {known}")


def files_of(table: Table, experiments: Collection[str]) -> list[str]:
    """Files that hold the rows of a table, below the results of a run with these experiments."""
    if table.kind == "assumption":
        return ["tables/assumption.csv"]
    names = (name for name in table.experiments + table.optional if name in experiments)
    return [f"{table.kind}/{name}.parquet" for name in names]


def _declares(kind: Kind, usually: tuple[Observable, ...] = ()) -> Callable[..., Table]:
    def declare(
        *experiments: str,
        optional: tuple[str, ...] = (),
        datasets: tuple[str, ...] | None = None,
        of: tuple[Observable, ...] = usually,
    ) -> Table:
        return Table(kind, experiments, optional, datasets, of)

    declare.__doc__ = f"The table {kind} of these experiments, as far as these observables go."
    return declare


learning_times = _declares("learning_times", usually=("response_values",))
trajectory_summary = _declares("trajectory_summary")
stages = _declares("stages")
plateaus = _declares("plateaus")
references = _declares("references")
teachers = _declares("teachers")
training = _declares("training")
assumption = _declares("assumption")


@dataclass(frozen=True)
class Interval:
    """An interval around a measured value.

    kind : "95 % confidence", of the value itself; "range", the smallest and the largest of what
    the value summarises. over : in words what that is, as it follows "the range over", or how the
    confidence was found; a note ends with it.
    """

    low: float
    high: float
    kind: IntervalKind
    over: str

    @property
    def sentence(self) -> str:
        """What the interval is."""
        if self.kind == "range":
            return f"The interval is the range over {self.over}."
        return f"The interval is a {self.kind} interval ({self.over})."


@dataclass(frozen=True)
class Measurement:
    """What an experiment says about a claim.

    value : the number that the claim is about. interval : contains the value. note : a sentence or
    two with the numbers that qualify the verdict. in_scope : the same number measured where the
    claim could at best hold (a limit, a restricted setting), if that is not where `value` was
    measured. scope : that place in words, as it follows "holds only"; required with in_scope.
    """

    value: float
    interval: Interval
    note: str
    in_scope: float | None = None
    scope: str = ""

    def __post_init__(self) -> None:
        if (self.in_scope is None) != (not self.scope):
            raise ValueError("in_scope and scope come together: a number and where it was measured")


class NothingToMeasureError(Exception):
    """A run has the experiments of a claim or figure, but not what it compares, which `str` names.

    The claim is judged "not run"; the figure says so in its place.
    """


Measure = Callable[..., Measurement | None]


@dataclass(frozen=True)
class Rival:
    """A law or a mistake that the claim's condition must reject.

    law : the rival in words. tables : given the claim's tables, returns them (one, or a tuple) as
    they would be if the rival were true, or with the rival's prediction in place of the claim's.
    """

    law: str
    tables: Callable[..., Any]


@dataclass
class Claim:
    """One checkable statement; see `Study.claim`."""

    id: str
    source: Source
    statement: str
    figure: str
    reads: tuple[Table, ...]
    holds: Condition
    measure: Measure
    rivals: list[Rival] = field(default_factory=list)

    @property
    def experiments(self) -> tuple[str, ...]:
        """Experiments that the claim needs, in the order of its tables."""
        return tuple(dict.fromkeys(name for table in self.reads for name in table.experiments))

    def rival(self, law: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a rival by the function that puts it into the claim's tables; see `Rival`."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            _check_arguments(function, self.reads, f"the rival {law!r} of {self.id}")
            self.rivals.append(Rival(law, function))
            return function

        return register


class Study:
    """One question with all that belongs to its answer.

    module : `__name__` of the module that declares it; its last part names the study, its figure
    and the target that draws it. question : heading on the page. title : the answer in a sentence.
    caption : what the figure shows, a Jinja template that sees the configuration as `experiments`
    and `datasets`. alt : the figure in a sentence for readers who cannot see it. order : position on the
    page, ascending.
    """

    def __init__(
        self, module: str, *, question: str, title: str, caption: str, alt: str, order: int = 1000
    ) -> None:
        self.name = module.rpartition(".")[2]
        self.question = question
        self.title = title
        self.caption = caption
        self.alt = alt
        self.order = order
        self.claims: list[Claim] = []
        self.figure_reads: tuple[Table, ...] = ()
        self._draw: Callable[..., Figure] | None = None

    def figure(self, *reads: Table) -> Callable[[Callable[..., Figure]], Callable[..., Figure]]:
        """Declare the function that draws the figure and the tables that it is given."""

        def register(function: Callable[..., Figure]) -> Callable[..., Figure]:
            _check_arguments(function, reads, f"the figure of {self.name}")
            self.figure_reads, self._draw = reads, function
            return function

        return register

    def draw(self, *tables: Any) -> Figure:
        """The figure, from the tables that it declares."""
        if self._draw is None:
            raise ValueError(f"The study {self.name} declares no figure; use @STUDY.figure(…)")
        return self._draw(*tables)

    def claim(
        self,
        name: str,
        *,
        source: Source,
        statement: str,
        reads: Table | tuple[Table, ...],
        holds: Condition,
    ) -> Callable[[Measure], Claim]:
        """Declare a claim by the function that measures it.

        name : its id, also a target of the workflow. source : who claims it. statement : what is
        measured, and of which runs. reads : tables that the function is given. holds : condition
        on the measured value, from theory or from what the claim says. It is committed before the run
        that judges it; docs/claims.md says where one was changed after a result.
        """
        if name == self.name:
            raise ValueError(
                f"The claim {name} has the name of its study; both are targets, so rename one"
            )
        tables = (reads,) if isinstance(reads, Table) else reads

        def register(measure: Measure) -> Claim:
            _check_arguments(measure, tables, f"the claim {name}")
            claim = Claim(name, source, statement, self.name, tables, holds, measure)
            self.claims.append(claim)
            return claim

        return register


def _check_arguments(function: Callable[..., Any], reads: tuple[Table, ...], who: str) -> None:
    wanted = len(inspect.signature(function).parameters)
    if wanted != len(reads):
        declared = ", ".join(table.kind for table in reads) or "none"
        raise ValueError(
            f"{who} takes {wanted} tables but declares {len(reads)} ({declared}); declare each "
            "table that it reads, in the order of its arguments"
        )
