"""The `stagewise` command: before a run, after it, and forecasts for a user's own data."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stagewise.errors import StagewiseError
from stagewise.forecast.options import add_options, request
from stagewise.terminal import written_for_everyone

if TYPE_CHECKING:
    from stagewise.planning.plan import Plan


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; errors meant for a person end with a sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="stagewise", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, function, help_text in (
        ("verify", _verify, "compare the results with reference/"),
        ("archive-reference", _archive, "make the present results the reference"),
        (
            "generate",
            _generate,
            "rewrite schema, config/README.md, and verdicts and picture of the documents",
        ),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("--run", default="", help="name of the run (default: the default run)")
        command.set_defaults(function=function)
    for name, function, help_text in (
        ("doctor", _doctor, "check this machine: Python, cores, memory, disk, data, write access"),
        ("claims", _claims, "list the claims: verdict, figure, experiments, cost"),
        ("estimate", _estimate, "forecast time, memory and disk of what is not built yet"),
        ("archive", _write_archive, "pack results, figures and sources into one zip, an RO-Crate"),
        ("figures", _figures, "draw every figure again from the results, without simulating"),
        ("fetch", _fetch, "fetch published data; write an overlay without what cannot be had"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument(
            *("--configfile", "--configfiles"),
            type=Path,
            nargs="+",
            action="append",
            default=[],
            help="overlays over config.yaml, as Snakemake merges them",
        )
        command.add_argument(
            "--config", nargs="+", default=[], metavar="KEY=VALUE", help="settings over them all"
        )
        command.add_argument("--cores", type=_positive, default=2, help="cores of a run")
        command.set_defaults(function=function)
    command = commands.add_parser(
        "archive-moments", help="keep the moments of an image data set, or check those kept"
    )
    command.add_argument("name", nargs="+", help="mnist, fashion_mnist, cifar10 or imagenet64")
    command.add_argument("--path", help="folder of the files, for imagenet64")
    command.add_argument("--data-dir", help="folder of downloaded data")
    command.add_argument("--into", type=Path, help="folder to write to (default: in --data-dir)")
    command.add_argument(
        "--check", action="store_true", help="only compare what is kept with the images"
    )
    command.set_defaults(function=_archive_moments)
    command = commands.add_parser("forecast", help="say when each rank of your data is learned")
    add_options(command)
    command.set_defaults(function=_forecast)
    with written_for_everyone():
        options = parser.parse_args(arguments)
        try:
            return int(options.function(options))
        except StagewiseError as error:
            print(error, file=sys.stderr)
            return 2


def _overlays(options: argparse.Namespace) -> list[Path]:
    return [path for each in options.configfile for path in each]


def _plan(options: argparse.Namespace) -> "Plan":
    from stagewise.config.loading import read_plan

    if len(options.configfile) > 1:
        print(
            "All files are read; Snakemake itself keeps only the last --configfile, so write them "
            "behind one: --configfile " + " ".join(map(str, _overlays(options))),
            file=sys.stderr,
        )
    return read_plan(_overlays(options), settings=options.config)


def _results(options: argparse.Namespace) -> Path:
    return Path("results", options.run)


def _verify(options: argparse.Namespace) -> int:
    from stagewise.release.comparison import report, verify

    reference = Path("reference", options.run)
    outcome = verify(_results(options), reference)
    print(report(outcome, reference))
    return 0 if outcome.passed else 1


def _archive(options: argparse.Namespace) -> int:
    from stagewise.config.loading import read_plan
    from stagewise.planning.costs import measured_costs
    from stagewise.release.comparison import archive
    from stagewise.store.files import write_text

    reference = Path("reference", options.run)
    archive(_results(options), reference, by_row=not options.run)
    if not options.run:
        costs = measured_costs(read_plan()).round(3)
        write_text(costs.to_csv(index=False, lineterminator="\n"), reference / "costs.csv")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from stagewise.release.doctor import examine, report

    checks = examine(_plan(options))
    print(report(checks))
    return 1 if any(each.state == "problem" for each in checks) else 0


def _claims(options: argparse.Namespace) -> int:
    from stagewise.config.loading import read_plan
    from stagewise.planning.costs import known_costs
    from stagewise.release.reviewing import claims_text

    plan = _plan(options)
    print(claims_text(plan, known_costs([plan, read_plan()], Path("reference"))))
    return 0


def _estimate(options: argparse.Namespace) -> int:
    from stagewise.config.loading import read_plan
    from stagewise.planning.costs import estimates, jobs_to_do, known_costs
    from stagewise.release.reviewing import estimate_text

    plan = _plan(options)
    known = known_costs([plan, read_plan()], Path("reference"))
    jobs = jobs_to_do(plan, _overlays(options), settings=options.config)
    print(estimate_text(estimates(jobs, known), options.cores))
    return 0


def _write_archive(options: argparse.Namespace) -> int:
    from stagewise.release.crate import write_archive

    plan = _plan(options)
    path = Path(plan.results, "stagewise.zip")
    count = write_archive(plan, path)
    print(f"{count} files in {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def _fetch(options: argparse.Namespace) -> int:
    import yaml

    from stagewise.planning.available import fetch, without
    from stagewise.store.files import write_text

    plan = _plan(options)
    missing = fetch(plan)
    for name, reason in missing.items():
        print(f"{name} is left out. {reason}")
    overlay = yaml.safe_dump(without(plan, set(missing)), sort_keys=False)
    write_text(overlay, Path(plan.results, "data_sets.yaml"))
    return 0


def _figures(options: argparse.Namespace) -> int:
    from stagewise.planning.processes import pin_threads
    from stagewise.release.rendering import render_figures

    pin_threads()
    for path in render_figures(_plan(options)):
        print(path)
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


def _generate(options: argparse.Namespace) -> int:
    from stagewise.config.loading import read_plan
    from stagewise.release.generated import generated_files
    from stagewise.release.readme_picture import PICTURE, refresh
    from stagewise.store.files import write_text

    for path, text in generated_files(Path()).items():
        write_text(text, path)
        print(f"wrote {path}")
    try:
        refresh(read_plan(), Path())
        print(f"wrote {PICTURE}")
    except StagewiseError as error:
        print(f"{PICTURE} stays as it is: {error}")
    return 0


def _archive_moments(options: argparse.Namespace) -> int:
    from stagewise.data.archiving import archive_moments, check_archive
    from stagewise.data.datasets import data_directory

    folder, agree = data_directory(options.data_dir), True
    for name in options.name:
        if options.check:
            agrees, sentence = check_archive(name, options.path, folder)
            agree = agree and agrees
        else:
            sentence = archive_moments(name, options.path, folder, options.into)
        print(sentence)
    return 0 if agree else 1


def _forecast(options: argparse.Namespace) -> int:
    from stagewise.forecast.command import run

    return run(request(options))


if __name__ == "__main__":
    sys.exit(main())
