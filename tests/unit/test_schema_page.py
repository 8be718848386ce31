"""The page on the database says what the code makes."""

from tools.schema_page import PAGE, page, result_keys


def test_the_page_is_as_the_code_makes_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.schema_page"


def test_it_names_what_jobs_leave() -> None:
    assert {"batch_size", "weights"} <= result_keys().keys()
