"""What a person says about the columns of a file. Light: the command line imports it always."""

from dataclasses import dataclass
from typing import Literal

Outputs = Literal["auto", "classes", "numbers"]


@dataclass(frozen=True)
class Columns:
    """Roles of a table's columns: those not named are inputs. Either targets or a label.

    outputs : whether the outputs are classes or numbers; "auto": a target of a table is a number, a
    label is classes, arrays are judged by `outputs.are_classes`, and one-hot outputs are classes.
    keep_index : take a column of row numbers as an input like any other.
    header : whether the first line of a CSV file has the names; None: it is refused if it seems not.
    """

    targets: tuple[str, ...] = ()
    label: str | None = None
    drop: tuple[str, ...] = ()
    outputs: Outputs = "auto"
    keep_index: bool = False
    header: bool | None = None

    @property
    def named(self) -> bool:
        """Whether any column was named."""
        return bool(self.targets or self.drop or self.label is not None)
