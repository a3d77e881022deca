"""The command `cleartitle`: arguments, exit codes, and the letters a user reads.

Exit codes: 0 done; 1 the work failed; 2 the command or the config is wrong. Results go to stdout, messages to stderr.
"""

import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from beam_jobs.allocator import keep_freed_memory
from beam_jobs.logs import COMMAND, FORMATS, log_to_stderr, tell
from schemas.errors import CleartitleError, UsageError

if TYPE_CHECKING:
    from transforms.part_store import Stage

Command = TypeVar("Command", bound=Callable[..., Any])

EPILOG = """\
Options after `--` go to Apache Beam. Without a `--runner` the job runs in this process, with a thread a core:
`-- --runner=FnApiRunner --direct_running_mode=multi_threading --direct_num_workers=<cores>`.
"""
_NO_FILESYSTEM = "Unable to get filesystem"
"""How Beam's words begin, in a ValueError, for a scheme whose library is not installed; they name what to install."""
_ASK = ("diff", "explain", "lookup", "takedown", "verify")
COMMANDS = {**{name: f"beam_jobs.ask.{name}" for name in _ASK}, "workers": "beam_jobs.workers"}
"""Commands that stand in modules of their own: those that ask a finished dataset, and that of a cluster's workers."""
_CONFIG = click.argument("config", type=click.Path())
_SET = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set a key of the config, as a.b=1.")
_JOB_OPTIONS = (
    _CONFIG,
    click.argument("beam", nargs=-1, type=click.UNPROCESSED, metavar="[-- BEAM OPTIONS]"),
    _SET,
    click.option("--resume", is_flag=True, help="Finish the run that was begun in the output directory."),
    click.option("--overwrite", is_flag=True, help="Remove what a run left in the output directory, and begin anew."),
    click.option("--quiet", is_flag=True, help="Show no progress."),
    click.option("--verbose", is_flag=True, expose_value=False, help="Show what workers and Beam log, and tracebacks."),
    click.option(
        "--log-format",
        type=click.Choice(FORMATS),
        default=FORMATS[0],
        show_default=True,
        help="Write messages as lines of text, or one JSON object a line.",
    ),
)


def job(command: Command) -> Command:
    """Give a command the arguments that every job has."""
    for option in reversed(_JOB_OPTIONS):
        command = option(command)
    return command


class _Commands(click.Group):
    """The commands of this file, and those of other modules, each imported when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *COMMANDS])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            found: click.Command = getattr(import_module(COMMANDS[name]), f"{name}_command")
            return found
        return super().get_command(context, name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="cleartitle")
def cli() -> None:
    """Deduplicate and filter a web crawl, with the lineage of every document."""


@cli.command("curate", epilog=EPILOG)
@click.option("--output", required=True, help="Directory for the dataset.")
@click.option("--work", help="Keep the measured store and the decisions here.  [default: OUTPUT/_work, removed]")
@job
def curate_command(output: str, work: str | None, **job_arguments: Any) -> None:
    """Measure, decide and publish: from a crawl to a dataset."""
    from beam_jobs.console.summary import print_summary
    from beam_jobs.curate import curate

    start = _Start(**job_arguments)
    start.claim(output, work)
    manifest = curate(start.prepared, output, work, start.job)
    start.show_figures(manifest["alarms"])
    print_summary(manifest, output)


@cli.command("measure", epilog=EPILOG)
@click.option("--output", required=True, help="Directory for the measured store.")
@job
def measure_command(output: str, **job_arguments: Any) -> None:
    """Read the crawl once and write everything that can be said of a record by looking at it alone."""
    from beam_jobs.measure import measure

    start = _Start(**job_arguments)
    start.claim(output)
    measure(start.prepared, output, start.job)
    start.show_figures()
    click.echo(output)


@cli.command("decide", epilog=EPILOG)
@click.option("--measured", required=True, help="The measured store.")
@click.option("--output", required=True, help="Directory for the decisions.")
@job
def decide_command(measured: str, output: str, **job_arguments: Any) -> None:
    """Apply the rules to a measured store and give every record one decision."""
    from beam_jobs.decide import decide

    start = _Start(**job_arguments)
    store = start.stage(measured, "measure")
    start.claim(output)
    decide(start.prepared, store, output, start.job)
    start.show_figures()
    click.echo(output)


@cli.command("publish", epilog=EPILOG)
@click.option("--measured", required=True, help="The measured store.")
@click.option("--decided", required=True, help="The decisions.")
@click.option("--output", required=True, help="Directory for the dataset.")
@job
def publish_command(measured: str, decided: str, output: str, **job_arguments: Any) -> None:
    """Put text and decisions together, balance the books, and make the dataset visible."""
    from beam_jobs.console.summary import print_summary
    from beam_jobs.publish import claim, finished, publish
    from transforms.hold import hold
    from transforms.part_store import join
    from transforms.publish.manifest import WORK

    start = _Start(**job_arguments)
    stages = start.stage(measured, "measure"), start.stage(decided, "decide")
    start.claim(output)
    manifest = finished(start.prepared, output)
    if manifest is None:
        with hold(join(output, WORK)):
            resumed = claim(start.prepared, output)
            manifest = publish(start.prepared, *stages, output, start.job, {}, resumed)
    start.show_figures(manifest["alarms"])
    print_summary(manifest, output)


@cli.command("report")
@click.argument("dataset")
def report_command(dataset: str) -> None:
    """Say what a finished dataset is: counts, alarms, the largest groups of duplicates, the sources that lost most."""
    from beam_jobs.console.report import print_report
    from transforms.publish.manifest import read_manifest

    print_report(read_manifest(dataset), dataset)


@cli.group("config")
def config_group() -> None:
    """Check a config, or show it with all its defaults."""


@config_group.command("check")
@_CONFIG
@_SET
def check_command(config: str, overrides: Sequence[str]) -> None:
    """Check the config, the files and the lists it names; say what a run would read."""
    from beam_jobs.console.summary import size_words
    from beam_jobs.prepare import prepare
    from configs.load import load

    plan = prepare(load(config, overrides)).plan
    size = size_words(sum(part.bytes for part in plan.parts))
    click.echo(f"{config} is right: {len(plan.files)} files, {size}, {len(plan.parts)} parts.")


@config_group.command("show")
@_CONFIG
@_SET
def show_command(config: str, overrides: Sequence[str]) -> None:
    """Print the config with all its defaults, as YAML."""
    from configs.load import load, show

    click.echo(show(load(config, overrides)), nl=False)


class _Start:
    """What every job does before any work starts: check the command, the config, the input and the output."""

    def __init__(
        self,
        config: str,
        beam: Sequence[str],
        overrides: Sequence[str],
        resume: bool,
        overwrite: bool,
        quiet: bool,
        log_format: str,
    ):
        from beam_jobs.console.progress import Reporter
        from beam_jobs.job import Job
        from beam_jobs.prepare import prepare
        from beam_jobs.runners.check_engine import check_engine
        from beam_jobs.runners.engine import Engine
        from beam_jobs.runners.options import beam_options
        from configs.load import load

        options = beam_options(beam)
        read = load(config, overrides)
        check_engine(options)
        self.prepared = prepare(read)
        engine = Engine(options, self.prepared.build_id[:8])
        click.get_current_context().call_on_close(engine.close)
        self.job = Job(engine, Reporter(quiet=quiet, as_json=log_format == "json"), overwrite)
        self.resume = resume
        for warning in self.prepared.sources.warnings():
            tell(f"{COMMAND}{warning}", level=logging.WARNING)

    def stage(self, directory: str, command: str) -> "Stage":
        """The finished stage in a directory. Raises OutputError if it is not finished, or of another config."""
        from beam_jobs.job import count_records
        from beam_jobs.runners.check_engine import check_paths
        from transforms.part_store import Stage

        check_paths(self.job.engine.options, [directory])
        digest = self.prepared.measured_digest if command == "measure" else self.prepared.build_digest
        stage = Stage(directory, digest)
        count_records(stage, len(self.prepared.plan.parts), command)
        return stage

    def claim(self, output: str, work: str | None = None) -> None:
        """Make sure that the run may write to the output directory, and to that of its work if there is one."""
        from beam_jobs.output_dir import claim_output, refuse_stores
        from beam_jobs.runners.check_engine import check_paths

        stores = [store.directory for store in self.prepared.earlier]
        outputs = [directory for directory in (output, work) if directory]
        for directory in outputs:
            refuse_stores(directory, stores)
        inputs = [file.path for file in self.prepared.plan.files]
        check_paths(self.job.engine.options, [*outputs, *inputs, *stores])
        inputs += self.prepared.config.takedowns
        claim_output(output, resume=self.resume, overwrite=self.job.overwrite, inputs=inputs)

    def show_figures(self, alarms: Iterable[Mapping[str, Any]] = ()) -> None:
        """Say on stderr what was done; alarms as well where machines read it, as the summary has them in words."""
        from beam_jobs.console.stage_figures import show_figures

        show_figures(self.job.engine.steps, self.job.reporter)
        if self.job.reporter.as_json:
            for alarm in alarms:
                told = {name: value for name, value in alarm.items() if name != "message"}
                tell(alarm["message"], told, logging.WARNING)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = options_of(words)
    with log_to_stderr(as_json=options.get("--log-format") == "json", verbose="--verbose" in options):
        return _run(words)


def options_of(words: Sequence[str]) -> dict[str, str]:
    """The options of a job and the last value of each, as click has them, even if it cannot understand the command.

    >>> options_of(["curate", "c.yaml", "--set", "--verbose", "--log-format=text", "--log-format", "json", "--", "--x"])
    {'--set': '--verbose', '--log-format': 'json'}
    """
    known = (each for command in cli.commands.values() for each in command.params if isinstance(each, click.Option))
    valued = {name for option in known if not option.is_flag for name in option.opts}
    found, rest = {}, iter(words)
    for word in rest:
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            found[name] = next(rest, "") if name in valued and not equals else value
    return found


def _run(words: list[str]) -> int:
    try:
        result = cli.main(words, prog_name="cleartitle", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        return _fail(shown.getvalue().rstrip("\n"), error.exit_code)
    except CleartitleError as error:
        return _fail(f"{COMMAND}{error}", error.exit_code, error)
    except (BrokenPipeError, SystemExit):
        # Results are printed when all is done, and their reader has seen enough; rich leaves by SystemExit then.
        return 0
    except OSError as error:
        return _fail(f"{COMMAND}{error}", 1)
    except (click.Abort, KeyboardInterrupt):
        return _fail(f"{COMMAND}interrupted. What is done is kept; the same command with --resume goes on.", 1)
    except Exception as error:
        if str(error).startswith(_NO_FILESYSTEM):
            return _fail(f"{COMMAND}{error}", UsageError.exit_code)
        where = "The same command with --verbose shows where."
        return _fail(f"{COMMAND}this should not happen: {type(error).__name__}: {error}\n{where}", 1, error)
    return result if isinstance(result, int) else 0


def _fail(said: str, exit_code: int, error: Exception | None = None) -> int:
    """Say why the command fails, and return its exit code; where an error came from is for the log."""
    if error:
        logging.getLogger(__name__).info("Traceback", exc_info=error)
    tell(said, {"exit_code": exit_code}, logging.ERROR)
    return exit_code


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run, and leave at once even if threads of a runner still wait for work that will not come."""
    keep_freed_memory()
    # Whoever ends a run, or closes its terminal, ends its jobs elsewhere too; under nohup the latter is ignored.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    code = run(arguments)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError, ValueError):  # closed by whoever read it
            stream.flush()
    os._exit(code)
