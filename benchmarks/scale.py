"""How time and memory grow with the corpus: `curate` and each stage alone, on grown corpora of several sizes.

    python -m benchmarks.scale [--documents 100000 1000000] [--stages curate measure decide publish] [--data DIR]
    python -m benchmarks.scale --documents 10000000 --stages decide

Every stage is a command of its own, run as a user runs it. Printed are its wall clock with start-up, the peak of its
memory, and that peak by document; then, from each size to the next, the ratio of the times and what each further
document adds to the peak. Aims: ten times the documents in at most 11 times the time, and decide of 10,000,000
documents in less than 8 GB.

Corpora (made by `benchmarks.grow`) and the stores that stages build on are kept under --data. A store that a chosen
stage needs is made before, or taken as it is where it is finished; the chosen stages themselves always run anew.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.curate import STAGES
from benchmarks.grow import BASE
from benchmarks.runs import DATA, Run, grown_corpus, run_cleartitle, write_config

COMMANDS: Final = ("curate", *STAGES)
FEW: Final = 4

Costs = dict[str, Run]
"""What each command cost, in the order in which they ran."""


def run_commands(corpus: Path, chosen: Sequence[str], threads: int, settings: Sequence[str]) -> Costs:
    """Run the chosen commands on a corpus; `settings` are KEY=VALUE for --set. Raises RuntimeError if one fails."""
    config, place = write_config(corpus), corpus.parent
    stores = {name: place / name for name in COMMANDS}
    needs: dict[str, tuple[str, ...]] = {
        "curate": (),
        "measure": (),
        "decide": ("--measured", str(stores["measure"])),
        "publish": ("--measured", str(stores["measure"]), "--decided", str(stores["decide"])),
    }
    sets = [word for setting in settings for word in ("--set", setting)]
    costs = {}
    last = max(map(COMMANDS.index, chosen))
    for name in COMMANDS[: last + 1]:
        anew = name in chosen
        if name == "curate" and not anew:
            continue
        how = "--overwrite" if anew else "--resume"
        print(f"{name} on {corpus} …", flush=True)
        cost = run_cleartitle(name, config, *needs[name], "--output", stores[name], how, *sets, threads=threads)
        if anew:
            costs[name] = cost
    return costs


def cost_table(costs: dict[int, Costs]) -> str:
    """A line for each size and command.

    >>> print(cost_table({1000: {"decide": Run(2.0, 3_000_000)}}))
      documents  command     seconds  documents/s  peak MiB  bytes/document
          1,000  decide         2.00          500         3           3,000
    """
    lines = [
        f"{'documents':>11}  {'command':<9}{'seconds':>10}{'documents/s':>13}{'peak MiB':>10}{'bytes/document':>16}"
    ]
    for documents, ran in costs.items():
        for name, cost in ran.items():
            lines.append(
                f"{documents:>11,}  {name:<9}{cost.seconds:>10.2f}{documents / cost.seconds:>13,.0f}"
                f"{cost.peak_bytes / 2**20:>10,.0f}{cost.peak_bytes / documents:>16,.0f}"
            )
    return "\n".join(lines)


def growth_table(costs: dict[int, Costs]) -> str:
    """A line for each command and each size but the first: against the size before.

    >>> print(growth_table({10: {"decide": Run(2.0, 1000)}, 100: {"decide": Run(19.0, 10000)}}))
           from            to  command  time ratio  bytes/further document
             10           100  decide         9.50                     100
    """
    lines = [f"{'from':>11}{'to':>14}  {'command':<9}{'time ratio':>10}{'bytes/further document':>24}"]
    for (few, before), (many, after) in pairwise(costs.items()):
        for name in after:
            ratio = after[name].seconds / before[name].seconds
            added = (after[name].peak_bytes - before[name].peak_bytes) / (many - few)
            lines.append(f"{few:>11,}{many:>14,}  {name:<9}{ratio:>10.2f}{added:>24,.0f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--stages", nargs="+", choices=COMMANDS, default=COMMANDS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for cleartitle")
    parser.add_argument("--data", type=Path, default=DATA, help="where corpora and stores are kept")
    parser.add_argument("--base", type=Path, default=BASE, help="the corpus to grow from")
    given = parser.parse_args()
    costs = {}
    try:
        # The first run of all compiles the kernels.
        run_commands(grown_corpus(given.data, FEW, given.base), COMMANDS, given.threads, given.set)
        for documents in sorted(given.documents):
            corpus = grown_corpus(given.data, documents, given.base)
            costs[documents] = run_commands(corpus, given.stages, given.threads, given.set)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(str(error))
    print(cost_table(costs))
    if len(costs) > 1:
        print(growth_table(costs))


if __name__ == "__main__":
    main()
