"""The Containerfile says what this checkout holds. That its steps work is seen where there is an image builder."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from crawler.cli import cli
from tests.pages import ROOT

FILE = ROOT / "Containerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@dataclass(frozen=True)
class Step:
    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """The arguments: a JSON list where the file has one, else as the shell splits them."""
        return list(json.loads(self.rest)) if self.rest.startswith("[") else shlex.split(self.rest)


def stages() -> Iterator[list[Step]]:
    stage: list[Step] = []
    for line in FILE.read_text("utf-8").replace("\\\n", " ").splitlines():
        if not line or line.startswith("#"):
            continue
        step = Step(*line.split(" ", 1))
        if step.word == "FROM" and stage:
            yield stage
            stage = []
        stage.append(step)
    yield stage


BUILD, IMAGE = stages()


def said(word: str, stage: list[Step] = IMAGE) -> list[Step]:
    return [step for step in stage if step.word == word]


def only(word: str) -> Step:
    (step,) = said(word)
    return step


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))


def test_what_is_copied_exists_and_is_let_through() -> None:
    wanted = [name for step in said("COPY", BUILD) for name in step.words[:-1]]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    for name in wanted:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == set(wanted)


def test_what_the_build_names_is_copied() -> None:
    """What pyproject.toml needs to make the program: its packages, and the files that it names."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        *wheel["packages"],
        *wheel["force-include"],
        PROJECT["readme"],
        *PROJECT["license-files"],
        "pyproject.toml",
    }
    assert needed <= {name for step in said("COPY", BUILD) for name in step.words[:-1]}


def test_every_package_is_pinned_with_its_hash_and_as_the_tests_have_it() -> None:
    installs = [step.rest for step in said("RUN", BUILD) if " install " in step.rest]
    assert [("--require-hashes" in rest, "--no-deps" in rest) for rest in installs] == [(True, False), (False, True)]
    (lock,) = re.findall(r"-r (\S+)", installs[0])
    image, tested, plain = pins(lock), pins("requirements-dev.lock"), pins("requirements.lock")
    assert image.items() <= tested.items()
    assert plain.items() <= image.items()


@pytest.mark.parametrize("extra", ["metrics", "notify", "pdf"])
def test_the_image_holds_the_extras_of_a_daemon(extra: str) -> None:
    wanted = {re.split(r"[><=]", line)[0] for line in PROJECT["optional-dependencies"][extra]}
    assert wanted <= pins("requirements-image.lock").keys()


def test_both_stages_are_one_slim_python_that_we_support() -> None:
    bases = [said("FROM", stage)[0].words[0] for stage in (BUILD, IMAGE)]
    assert len(set(bases)) == 1
    (version,) = re.findall(r"^python:(3\.\d+)-slim$", bases[0])
    least = PROJECT["requires-python"].removeprefix(">=")
    assert [int(n) for n in version.split(".")] >= [int(n) for n in least.split(".")]


def test_it_runs_as_nobody_in_its_own_folder() -> None:
    user, folder = only("USER").rest, only("WORKDIR").rest
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "numbers: whoever starts it can tell that it is not root"
    assert folder == only("VOLUME").rest
    uid, gid = user.split(":")
    assert f"install -d -o {uid} -g {gid} -m 0750 {folder}" in only("RUN").rest
    assert IMAGE.index(only("RUN")) < IMAGE.index(only("VOLUME")) < IMAGE.index(only("USER"))
    variables = dict(word.split("=", 1) for step in said("ENV") for word in step.words)
    assert variables["HOME"] == folder
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"


def test_its_words_are_verbs_and_it_is_asked_for_its_health() -> None:
    assert only("ENTRYPOINT").words == ["pakrus"]
    assert only("CMD").words == ["run"]
    assert "run" in cli.commands  # type: ignore[attr-defined]
    assert only("STOPSIGNAL").rest == "SIGTERM"
    options, command = only("HEALTHCHECK").rest.split(" CMD ")
    program, verb = json.loads(command)
    assert program == "pakrus"
    assert verb in cli.commands  # type: ignore[attr-defined]
    assert {option.split("=")[0] for option in options.split()} == {
        "--interval", "--timeout", "--start-period", "--retries",
    }  # fmt: skip


def test_the_program_is_where_the_path_leads() -> None:
    (copied,) = said("COPY")
    assert copied.words == ["--from=build", "/opt/pakrus", "/opt/pakrus"]
    assert any("PATH=/opt/pakrus/bin:$PATH" in step.words for step in said("ENV"))
    assert any(step.rest == "python -m venv /opt/pakrus" for step in said("RUN", BUILD))
