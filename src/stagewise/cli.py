"""The `stagewise` command: what `make` calls once the workflow has run, and forecasts."""

import argparse
import sys
from pathlib import Path

from stagewise.errors import StagewiseError
from stagewise.forecasting.options import add_options, request


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; errors meant for a person end with a sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="stagewise", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, function, help_text in (
        ("verify", _verify, "compare the results with reference/"),
        ("archive-reference", _archive, "make the present results the reference"),
        ("generate", _generate, "rewrite schema, config/README.md and the README's table"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("--run", default="", help="name of the run (default: the default run)")
        command.set_defaults(function=function)
    command = commands.add_parser("forecast", help="say when each rank of your data is learned")
    add_options(command)
    command.set_defaults(function=_forecast)
    options = parser.parse_args(arguments)
    try:
        return int(options.function(options))
    except StagewiseError as error:
        print(error, file=sys.stderr)
        return 2


def _results(options: argparse.Namespace) -> Path:
    return Path("results", options.run)


def _verify(options: argparse.Namespace) -> int:
    from stagewise.verify import report, verify

    outcome = verify(_results(options), Path("reference"))
    print(report(outcome))
    return 0 if outcome.passed else 1


def _archive(options: argparse.Namespace) -> int:
    from stagewise.verify import archive

    archive(_results(options), Path("reference"))
    return 0


def _generate(options: argparse.Namespace) -> int:
    from stagewise.files import write_text
    from stagewise.report.generated import generated_files

    for path, text in generated_files(Path()).items():
        write_text(text, path)
        print(f"wrote {path}")
    return 0


def _forecast(options: argparse.Namespace) -> int:
    from stagewise.forecasting.command import run

    return run(request(options))


if __name__ == "__main__":
    sys.exit(main())
