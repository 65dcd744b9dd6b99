"""Is the joint decomposition a reasonable assumption on real data?"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import between
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import Measurement, Study, assumption

STUDY = Study(
    __name__,
    order=75,
    question="Is the joint decomposition a reasonable assumption on real data?",
    title="The joint decomposition is violated less than whitened inputs; how much less depends on "
    "its definition",
    caption="""\
Distance of moments from the assumption of earlier work, sigma_x in proportion to the identity (Δ_x, filled), and from the joint decomposition with sigma_xy (Δ_xy, open), centred data; both are between 0, where the assumption holds, and 1. The basis of the joint decomposition is completed by eigenvectors, which is unique, or at random. Definitions are reconstructed.""",
    alt="Distance of each data set from whitened inputs and from the joint decomposition, completed "
    "by eigenvectors and at random.",
)
PAPERS = assumption(datasets=("mnist_moments", "cifar10_moments"))


@STUDY.figure(assumption())
def draw(table: pd.DataFrame) -> Figure:
    """A row a data set."""
    figure = Figure(figsize=(style.ONE_COLUMN, 3.2), layout="constrained")
    axes = figure.subplots()
    centred = table[table["centred"]].set_index("dataset")
    eigen, random = (
        centred[centred["completion"] == completion] for completion in ("eigen", "random")
    )
    colours = style.distinct_colours()
    for index, (values, label) in enumerate(
        (
            (eigen["delta_x"], r"$\Delta_x$"),
            (eigen["delta_xy"], r"$\Delta_{xy}$, eigenvectors"),
            (random["delta_xy"], r"$\Delta_{xy}$, random"),
        )
    ):
        axes.plot(
            values,
            np.arange(len(values)),
            linestyle="none",
            marker=style.MARKERS[index],
            color=colours[index],
            markerfacecolor="white" if index else colours[index],
            label=label,
        )
    axes.set_yticks(range(len(eigen)), [name.replace("_", " ") for name in eigen.index])
    axes.set(xlabel="distance from the assumption", ylabel="data set", xlim=(-0.02, None))
    figure.legend(loc="outside lower center", ncols=3, columnspacing=1.0, handletextpad=0.2)
    style.panel_title(axes, "a", "real and synthetic moments")
    return figure


@STUDY.claim(
    "gidel_assumption_half",
    source="gidel2019",
    statement="On MNIST and CIFAR-10 the joint decomposition is violated about half as much (0.3 to "
    "0.7 times) as the stronger assumption of earlier work (conclusion as remembered).",
    reads=PAPERS,
    holds=between(0.3, 0.7),
)
def assumption_half(table: pd.DataFrame) -> Measurement | None:
    real = table[table["centred"]]
    real = real.assign(ratio=real["delta_xy"] / real["delta_x"])
    if real.empty:
        return None
    wide = real.pivot(index="dataset", columns="completion", values="ratio")
    eigen, random = wide["eigen"], wide["random"]
    listed = "; ".join(
        f"{name}: Δ_x = {own['delta_x'].iloc[0]:.4f}, ratio {eigen[name]:.2f} with the basis "
        f"completed by eigenvectors, {random[name]:.2f} at random"
        for name, own in real.groupby("dataset", sort=False)
    )
    return Measurement(
        value=float(eigen[(eigen - 0.5).abs().idxmax()]),
        interval=value_range(wide.to_numpy(), "data sets and completions"),
        in_scope=float(random[(random - 0.5).abs().idxmax()]),
        scope="with random completions of the basis",
        note=f"{listed}. The value is the ratio farthest from one half with eigenvectors, which are "
        "unique. Definitions and conclusion are "
        "reconstructed.",
    )


@assumption_half.rival("Both assumptions are violated as much.")
def as_much(table: pd.DataFrame) -> pd.DataFrame:
    """The distance of the stronger assumption for both."""
    return table.assign(delta_xy=table["delta_x"])
