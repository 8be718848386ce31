"""Write `db/SCHEMA.md`, the tables that other programs may query: python -m tools.schema_page."""

from __future__ import annotations

import ast
import tempfile
from contextlib import closing
from pathlib import Path

from radtui.store.database import connect
from radtui.store.schema_version import SCHEMA_VERSION

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "db" / "SCHEMA.md"
HEAD = """# The database

`radtui.db` is one SQLite file in WAL mode, of schema {version} (`PRAGMA user_version`). Other programs may read it at
any time; write through radtui alone. Times are Unix seconds; `settings`, `result`, `facts`, `answers`, `corrections`
and `protocol` are JSON; a NULL `value` is a number that was not finite. `current_ratings` holds what counts of the
append-only `ratings`; `descriptions` is what arms say, one row a text of a job. Questions and answers about single
images are `events` of a job of kind `ask`, as JSON: `ask`, `answer`, and `piece` while one is written; `step` is the
question's number. `python -m tools.schema_page` makes this page.

"""


def tables() -> list[str]:
    """The DDL of every table, view and index that radtui makes, as a fresh database has it."""
    with tempfile.TemporaryDirectory() as folder, closing(connect(Path(folder))) as db:
        rows = db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%sqlite_%'"
            " AND name NOT LIKE '%_fts_%' ORDER BY type = 'view', type = 'index', name"
        ).fetchall()
    return [row["sql"].strip() + ";" for row in rows]


def result_keys() -> dict[str, list[str]]:
    """Key of `jobs.result` -> the files of the worker that write it."""
    keys: dict[str, set[str]] = {}
    for path in sorted((ROOT / "radtui" / "worker").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "result"
            ):
                for keyword in node.keywords:
                    if keyword.arg:
                        keys.setdefault(keyword.arg, set()).add(path.relative_to(ROOT / "radtui").as_posix())
    return {key: sorted(files) for key, files in sorted(keys.items())}


def page() -> str:
    """The whole page."""
    lines = [HEAD.format(version=SCHEMA_VERSION), "## Tables, views, indexes\n\n```sql\n"]
    lines += [f"{sql}\n" for sql in tables()]
    lines.append("```\n\n## Keys of `jobs.result`\n\n| key | written by |\n|---|---|\n")
    lines += [
        f"| `{key}` | {', '.join(f'`{file}`' for file in files)} |\n" for key, files in result_keys().items()
    ]
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
