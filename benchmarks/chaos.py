"""Faults and kills by many seeds; what each comes to beside an undisturbed crawl.

    python benchmarks/chaos.py [--seeds 100] [--first 1] [--keep DIR]

For each seed the demo's papers answer one request in three with a fault (5xx, resets, cut and slow answers, time-outs,
304 that lie, apologies with 200), the crawl is killed three times (SIGKILL, at a random moment), and then passes in
peace follow, the clock moved on so that every second chance comes. Then `audit` must hold, and articles (text, grade,
sectors), stories and copies must be those of a crawl that nothing happened to. Exit code 1 where a seed differs.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.chaos import KILLS, Troubled, trial, undisturbed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the databases of seeds that differ")
    given = parser.parse_args()
    began, bad = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as name, Troubled() as troubled:
        calm, requests = undisturbed(troubled, Path(name) / "calm")
        again, _ = undisturbed(troubled, Path(name) / "again")
        print(
            f"undisturbed: {len(calm.articles)} articles, {len(calm.stories)} stories, {len(calm.copies)} copies, "
            f"{len(calm.entries)} pages, {requests} requests; a second time: {len(calm.differences(again))} differences"
        )
        if given.keep:
            shutil.copytree(Path(name) / "calm", given.keep / "calm", dirs_exist_ok=True)
        for seed in range(given.first, given.first + given.seeds):
            folder = Path(name) / str(seed)
            found, problems = trial(troubled, folder, seed=seed, requests=requests)
            differences = problems + found.differences(calm)
            if differences:
                bad += 1
                print(f"seed {seed}:", *differences, sep="\n  ", flush=True)
                if given.keep:
                    shutil.copytree(folder, given.keep / str(seed), dirs_exist_ok=True)
            shutil.rmtree(folder)
        seconds = time.monotonic() - began
    faults = ", ".join(f"{n} {what}" for what, n in troubled.faults.most_common())
    print(f"{given.seeds} seeds, {KILLS} kills each, {bad} differ; answers: {faults}; {seconds:.0f} s")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
