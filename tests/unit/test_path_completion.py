"""A path that is typed goes on as a shell would go on with it."""

import pytest

from radtui.tui.widgets.path_completion import complete


@pytest.fixture
def folder(tmp_path):
    for name in ("chests/deep", "chest two", "Knees"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "table.csv").write_text("a")
    (tmp_path / ".hidden").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "completed", "names"),
    [
        ("ch", "chest", ("chest two/", "chests/")),
        ("chests", "chests/", ("chests/",)),
        ("chests/", "chests/deep/", ("deep/",)),
        ("t", "table.csv", ("table.csv",)),
        ("kn", "Knees/", ("Knees/",)),
        (".h", ".hidden", (".hidden",)),
        ("x", "x", ()),
        ("no/such/place", "no/such/place", ()),
    ],
)
def test_as_far_as_it_goes_one_way(folder, typed, completed, names):
    found = complete(f"{folder}/{typed}")
    assert (found.text, found.names) == (f"{folder}/{completed}", names)


def test_several_paths_and_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert complete("~").text == "~/" and complete("~/t").text == "~/table.csv"
    assert complete("a.csv, ~/t", ",").text == "a.csv, ~/table.csv"
    assert complete("dpo=~/chests", "=;").text == "dpo=~/chests/"
    monkeypatch.chdir(folder)
    assert complete("tab").text == "table.csv" and complete("a\0b").text == "a\0b"


def test_a_name_that_is_no_folder_is_left(folder):
    assert complete(f"{folder}/table.csv/x").text == f"{folder}/table.csv/x"
