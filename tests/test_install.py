"""From the wheel alone, in an empty environment and an empty folder: what the package needs at run time is in it."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.pages import ROOT

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network, as `./run` installs."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return next(folder.glob("pakrus-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it. The libraries are those of the tests, behind it on the path; this checkout,
    which is installed there in place, is not: only the folder itself is added, not what its .pth files name."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True, timeout=120)
    python = home / "bin" / "python"
    command = [*PIP, "--python", str(python), "install", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    own = next(home.glob("lib/python*/site-packages"))
    (own / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return home


def pakrus(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [str(installed / "bin" / "pakrus"), *words],
        cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=180, check=False,
    )  # fmt: skip


def test_the_wheel_holds_every_file_that_is_no_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("crawler", "store")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "crawler/feeds.yaml" in packed
    assert wanted <= packed
    assert not any(name.startswith(("tests/", "docs/", "benchmarks/")) for name in packed)


def test_the_wheel_asks_by_name_for_what_jusText_asks_for_as_an_extra_that_old_pips_do_not_know(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        assert "Requires-Dist: lxml-html-clean" in archive.read(metadata).decode()


def test_init_demo_and_status_work_from_the_wheel_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [str(installed / "bin" / "python"), "-c", "import crawler, store; print(crawler.__file__, store.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    ).stdout.split()  # fmt: skip
    assert all(Path(path).is_relative_to(installed) for path in where)
    begun = pakrus(installed, tmp_path, "init")
    assert begun.returncode == 0, begun.stderr
    assert (tmp_path / "feeds.yaml").read_bytes() == (ROOT / "feeds.yaml").read_bytes()
    listed = pakrus(installed, tmp_path, "sources", "list")
    assert "dawn-world" in listed.stdout, listed.stderr
    shown = pakrus(installed, tmp_path, "demo")
    assert shown.returncode == 0, shown.stderr
    assert {p.name for p in (tmp_path / "var" / "demo").iterdir()} >= {"feeds.yaml", "news.db", "digests"}
    told = pakrus(installed, tmp_path, "status", "--db", "var/demo/news.db", "--config", "var/demo/feeds.yaml")
    assert told.returncode in (0, 1), told.stderr
    assert re.search(r"\b[1-9]\d+ kept", told.stdout), told.stdout
    assert "Traceback" not in begun.stderr + listed.stderr + shown.stderr + told.stderr
    assert not list(tmp_path.rglob("*.lexicon"))
