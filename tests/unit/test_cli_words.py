"""What commands say to people: whole sentences, named columns, and nothing that was not done."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.cli import follow as following
from radtui.cli.scores import print_scores
from radtui.measures.scores import ScoredText
from radtui.records import JobState, UserError
from radtui.store import jobs
from tests.commands import invoked, ran
from tests.tui.seeding import add_images, add_train


@pytest.mark.parametrize("group", [[], ["jobs"], ["study"], ["data"], ["profile"], ["model"], ["adapter"]])
def test_no_help_cuts_a_sentence(data, group):
    helped = invoked(data, *group, "--help").output
    commands = helped.partition("Commands:")[2]
    assert commands and "..." not in commands


def test_the_list_of_jobs_names_its_columns(data, db):
    add_images(data, db)
    add_train(db, state=JobState.DONE)
    titles, line = invoked(data, "jobs", "list").output.splitlines()
    assert titles.split()[:8] == ["#", "kind", "state", "progress", "time", "loss", "held-out", "F1"]
    for title, value in (("loss", "1.963"), ("state", "done")):
        at = titles.index(title)
        assert value in line[at - 4 : at + len(title) + 4]


def test_who_leaves_a_followed_job_is_told_that_it_goes_on_and_no_more(data, db, monkeypatch, capsys):
    job = add_train(db)

    def leave(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "reconcile", leave)
    with pytest.raises(SystemExit) as left:  # and no "Stopped.", as after other interrupted commands
        following.follow(data, db, job.id)
    assert left.value.code == 1 and capsys.readouterr().err.startswith(f"Job {job.id} goes on; stop it with:")


def test_a_table_of_scores_stands_straight(capsys, monkeypatch):
    monkeypatch.setattr("radtui.cli.scores.ARM_CELLS", 4)  # less than most figures need
    long = ScoredText("A normal chest radiograph. " * 9, "A normal chest radiograph.")
    print_scores({"base": [long] * 3, "tuned": [long] * 3})
    rows = capsys.readouterr().out.split("\n\n")[0].splitlines()
    at = rows[0].index("tuned")
    assert all(row[at - 2 : at] == "  " and row[at] != " " for row in rows)


def test_a_source_that_is_not_there_leaves_no_job(data, db):
    with pytest.raises(UserError, match="no folder or file 'nofolder'"):
        ran(data, "import", "nofolder")
    assert jobs.all_jobs(db) == []


def test_a_job_without_a_note_is_said_to_have_none(data, db):
    job = add_train(db)
    told = invoked(data, "jobs", "note", str(job.id))
    assert told.stdout == "" and "keep one with" in told.stderr


def test_a_job_s_settings_are_told_in_the_words_of_the_app(data, db):
    job = add_train(db, state=JobState.DONE)
    lines = [
        line.split(maxsplit=2) for line in invoked(data, "jobs", "show", f"#{job.id}").output.splitlines()
    ]
    assert any(line[:2] == ["held-out", "loss"] for line in lines)  # as every chart calls it
    assert ["train", "images", "all"] in lines and ["memory", "gib", "auto"] in lines


def test_what_is_not_deleted_is_said_not_to_be(data, db):
    job = add_train(db, state=JobState.DONE)
    refused = invoked(data, "jobs", "delete", str(job.id), answer="n\n")
    assert (
        refused.exit_code == 1
        and "Nothing is deleted." in refused.output
        and jobs.get(db, job.id) is not None
    )
    assert (
        invoked(data, "jobs", "delete", str(job.id), answer="y\n").exit_code == 0
        and jobs.get(db, job.id) is None
    )


def test_a_folder_that_is_not_there_is_not_well(data, tmp_path):
    missing = CliRunner().invoke(cli, ["--data-dir", str(tmp_path / "tyop"), "check"])
    assert isinstance(missing.exception, UserError) and "nothing was checked" in str(missing.exception)
    assert invoked(data, "check").exit_code == 0


def test_no_data_set_is_no_silence(data, db):
    assert "No images are imported yet" in invoked(data, "cases").output
    add_images(data, db)
    assert invoked(data, "cases").output == "chests: train 12, test 4, from drawn\n"
