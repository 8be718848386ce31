"""Choices that outlive the app: read with defaults, written into a file that people edit, never at its cost."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from radtui import user_choices
from radtui.cluster.profile import profiles
from radtui.paths import config_file
from radtui.records import UserError
from radtui.user_choices import DEFAULTS, UserChoices, edited, read, remember

README = Path(__file__).resolve().parents[2] / "README.md"
OWN = """# my cluster
[slurm.gpu]   # the only one
partition = "gpu"
setup = ["module load cuda", "echo [app]"]

[app]
# I like it bright
theme = "light"   # since the new screen

[slurm.cpu]
partition = "cpu"
"""


def test_without_a_file_there_are_defaults_and_nothing_to_say():
    assert read() == (DEFAULTS, "")


def test_what_is_remembered_is_read_again():
    remember(theme="contrast", price_per_hour=2.5, bell_after_s=5)
    found, problem = read()
    assert not problem
    assert (found.theme, found.price_per_hour, found.bell_after_s) == ("contrast", 2.5, 5)
    assert found.smoothing == DEFAULTS.smoothing


def test_a_file_that_people_wrote_keeps_all_but_the_changed_values():
    changed = edited(OWN, {"theme": "dark", "jobs_sort": "loss"})
    assert 'theme = "dark"   # since the new screen' in changed and "# I like it bright" in changed
    kept = [line for line in OWN.splitlines() if "theme" not in line]
    assert [line for line in changed.splitlines() if line in kept] == kept
    assert tomllib.loads(changed)["app"] == {"theme": "dark", "jobs_sort": "loss"}
    assert tomllib.loads(changed)["slurm"] == tomllib.loads(OWN)["slurm"]


@pytest.mark.parametrize("value", ['it\'s "so"', "a\\b", "[app]", "# no comment", "naïve ☂", "line\nline"])
def test_any_text_is_written_so_that_it_is_read_back(value):
    text = edited(OWN, {"currency": value})
    assert tomllib.loads(text)["app"]["currency"] == value
    assert tomllib.loads(edited(text, {"currency": "EUR"}))["app"]["currency"] == "EUR"


def test_clusters_and_choices_share_a_file():
    config_file().parent.mkdir(parents=True)
    config_file().write_text(OWN)
    assert set(profiles()) == {"gpu", "cpu"} and read()[0].theme == "light"


@pytest.mark.parametrize("damaged", ["[app\ntheme=", "theme = ", '[app]\ntheme = "dark"\n[app]\n', "\x00"])
def test_a_damaged_file_is_one_sentence_and_defaults_and_stays_as_it_is(damaged):
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f"# app\n{damaged}")
    found, problem = read()
    assert found == DEFAULTS and problem.count("\n") <= 1 and str(config_file()) in problem
    with pytest.raises(UserError, match="this session only"):
        remember(theme="light")
    assert config_file().read_text() == f"# app\n{damaged}"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("theme = \"pink\"", "theme must be one of"), ("bell_after_s = -1", "at least 0"), ("colour = 1", "no field"),
        ("tile_size = \"2\"", "a whole number"), ("price_per_hour = \"2\"", "a number"), ("theme = 3", "a text"),
        ("bell_after_s = true", "a whole number"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named_and_the_others_hold(line, named):
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f'[app]\nsmoothing = "heavy"\n{line}\n')
    found, problem = read()
    assert named in problem and found == UserChoices(smoothing="heavy")


def test_a_whole_number_is_a_price():
    config_file().parent.mkdir(parents=True)
    config_file().write_text("[app]\nprice_per_hour = 3\n")
    assert read() == (UserChoices(price_per_hour=3.0), "")


def test_a_section_that_lines_cannot_be_put_into_is_left_to_its_writer():
    config_file().parent.mkdir(parents=True)
    config_file().write_text('app.theme = "light"\n')
    with pytest.raises(UserError, match="was not written"):
        remember(theme="dark")
    assert config_file().read_text() == 'app.theme = "light"\n'


def test_a_link_stays_a_link(tmp_path):
    own = tmp_path / "dotfiles.toml"
    own.write_text("[app]\n")
    config_file().parent.mkdir(parents=True)
    config_file().symlink_to(own)
    remember(theme="light")
    assert config_file().is_symlink() and tomllib.loads(own.read_text())["app"] == {"theme": "light"}


def test_several_processes_that_write_at_once_lose_nothing():
    code = "import sys; from radtui.user_choices import remember; remember(**{sys.argv[1]: int(sys.argv[2])})"
    names = {"tile_size": 3, "bell_after_s": 7}
    started = [
        subprocess.Popen([sys.executable, "-c", code, name, str(value)]) for name, value in names.items()
    ]
    assert [child.wait() for child in started] == [0, 0]
    found, _ = read()
    assert (found.tile_size, found.bell_after_s) == (3, 7)


def test_the_app_reads_no_toml_where_no_file_speaks_of_it():
    config_file().parent.mkdir(parents=True)
    config_file().write_text("[slurm.gpu]\n")
    code = "import sys; from radtui.user_choices import read; read(); print('tomllib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_readme_has_every_field():
    assert user_choices.readme_table() in README.read_text(encoding="utf-8")
