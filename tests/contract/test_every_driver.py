"""Every driver in drivers/, found automatically, keeps the rules that the runtime relies on."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.catalog import Catalog, Found
from gateway.testing import check_driver, hardware_page
from gateway.testing.pages import main, page, sections

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for path in (ROOT / "drivers").glob("*.py") if path.stem != "__init__")


def load(file: Path) -> Found:
    """The driver in a file; fails loudly when there is none."""
    found = Catalog().find(file.stem)
    assert found is not None, f"{file.name} is not found by its name"
    assert found.driver is not None, f"{file.name} has no driver: {found.error}"
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_keeps_the_rules(file: Path) -> None:
    """All that check_driver looks at."""
    driver = load(file).driver
    assert driver is not None
    check_driver(driver)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_page_is_up_to_date(file: Path) -> None:
    """docs/drivers/NAME.md is what ``python -m gateway.testing`` makes of the file."""
    driver = load(file).driver
    assert driver is not None
    written = ROOT / "docs" / "drivers" / f"{file.stem}.md"
    assert written.exists(), "run python -m gateway.testing"
    assert written.read_text(encoding="utf-8") == page(driver, file.stem), "run python -m gateway.testing"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_says_what_a_user_needs_to_know(file: Path) -> None:
    """The docstring has a sample, the wiring, the traps and where the facts are from."""
    driver = load(file).driver
    assert driver is not None
    expected = {"", "Wiring", "Sample", "Traps", "Sources"}
    assert set(sections(driver)) >= (expected - {"Sources"} if file.stem == "mock" else expected)


def test_the_page_of_all_is_up_to_date() -> None:
    """docs/hardware.md is what ``python -m gateway.testing`` makes of the drivers and the table of things."""
    written = (ROOT / "docs" / "hardware.md").read_text(encoding="utf-8")
    assert written == hardware_page.page(map(load, FILES)), "run python -m gateway.testing"


def test_no_page_without_a_driver() -> None:
    """A page whose driver is gone is deleted with it."""
    assert {path.stem for path in (ROOT / "docs" / "drivers").glob("*.md")} == {path.stem for path in FILES}


def test_pages_are_checked_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes every page; with --check it names those that are out of date and writes nothing."""
    drivers, pages, hardware = str(ROOT / "drivers"), tmp_path / "drivers", tmp_path / "hardware.md"
    pages.mkdir()
    assert main([drivers, str(pages), "--check", "--hardware", str(hardware)]) == 1
    assert "system.md" in capsys.readouterr().err
    assert not list(pages.iterdir())
    assert main([drivers, str(pages)]) == 0
    assert not hardware.exists()
    assert main([drivers, str(pages), "--check"]) == 0
    assert main([drivers, str(pages), "--hardware", str(hardware)]) == 0
    assert main([drivers, str(pages), "--check", "--hardware", str(hardware)]) == 0
