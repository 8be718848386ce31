"""The house rules a machine can check: what starts with the app, and what each file may weigh."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "radtui"
HEAVY = {
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "unsloth",
    "accelerate",
    "pandas",
    "scipy",
    "pyarrow",
}


def loaded_after(code: str) -> set[str]:
    """Top-level modules a fresh interpreter holds after some code."""
    program = f"import sys\n{code}\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import radtui.tui.app, radtui.tui.data.screen, radtui.tui.review.screen, radtui.tui.train.screen",
        "import radtui.cli; [radtui.cli.cli.get_command(None, name) for name in radtui.cli.COMMANDS]",
        "import radtui.jobs, radtui.export.comparisons, radtui.sources",
    ],
)
def test_the_app_reaches_no_heavy_library(code: str) -> None:
    assert not loaded_after(code) & HEAVY


def test_the_first_frame_brings_no_readers_of_data_sets() -> None:
    """They cost as much as the rest of the app together, and nobody imports with the first key."""
    program = "import sys, radtui.tui.app, radtui.tui.data.screen; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not any(name.startswith("radtui.sources") for name in done.stdout.split())


@pytest.mark.parametrize(
    ("modules", "stay_out"),
    [
        (
            "imaging.decode, radtui.imaging.draw, radtui.imaging.ansi, radtui.imaging.loader, radtui.imaging.thumbnail",
            {"pydicom", "textual", "rich"},
        ),
        (
            "sources",
            {
                "datasets",
                "pyarrow",
                "pydicom",
                "torch",
                "numpy",
                "PIL",
                "pandas",
                "huggingface_hub",
                "openpyxl",
            },
        ),
        (
            "sources.images, radtui.sources.identity, radtui.sources.kinds",
            {"pydicom", "nibabel", "SimpleITK", "scipy", "torch"},
        ),
    ],
)
def test_rooms_start_light(modules: str, stay_out: set[str]) -> None:
    assert not loaded_after(f"import radtui.{modules}") & stay_out


def test_opening_an_existing_database_needs_no_sqlite_utils(tmp_path: Path) -> None:
    opened = (
        "from radtui.store.database import connect; from pathlib import Path;"
        f" connect(Path({str(tmp_path)!r}), create=True)"
    )
    assert "sqlite_utils" in loaded_after(opened)  # the first time: migrations
    assert "sqlite_utils" not in loaded_after(opened)


FILE_LINES, CLASS_METHODS, FUNCTION_LINES = 400, 20, 60


def test_files_classes_and_functions_stay_readable() -> None:
    large = []
    for path in sorted(PACKAGE.rglob("*.py")):
        source, name = path.read_text(encoding="utf-8"), path.relative_to(PACKAGE)
        if (lines := source.count("\n")) > FILE_LINES:
            large.append(f"{name}: {lines} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                methods = sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body)
                if methods > CLASS_METHODS:
                    large.append(f"{name}: {node.name} has {methods} methods")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    large.append(f"{name}: {node.name} has {lines} lines")
    assert not large


SMALL_ROOM = 5  # modules that need no map: their names are read at one look


def test_a_room_has_a_map_of_its_modules() -> None:
    """Its `__init__` says what each holds: a newcomer who opens a folder of forty names starts there."""
    wrong = []
    for path in sorted(PACKAGE.rglob("__init__.py")):
        modules = {each.stem for each in path.parent.glob("*.py")} - {"__init__", "__main__"}
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        named = set(re.findall(r"(?<![\w/.])(\w+)\.py\b", doc)) - {"__main__"}
        missing = modules - named if len(modules) > SMALL_ROOM else set()
        room = path.parent.relative_to(PACKAGE.parent)
        wrong += [f"{room}: say what {name}.py holds" for name in sorted(missing)]
        wrong += [f"{room}: there is no {name}.py" for name in sorted(named - modules)]
    assert not wrong


def test_sql_is_in_the_store_alone() -> None:
    speaks = re.compile(r"\.(execute|executemany|executescript)\(")
    files = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if speaks.search(path.read_text())}
    assert {path.parts[0] for path in files} == {"store"}


def test_every_package_is_in_the_wheel() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(project["tool"]["setuptools"]["packages"]) - {"radtui.assets"}
    there = {
        ".".join(path.parent.relative_to(PACKAGE.parent).parts)
        for path in PACKAGE.rglob("__init__.py")
    }  # fmt: skip
    assert listed == there


def test_the_app_reads_by_one_door_and_threads_answer_by_messages() -> None:
    tui = PACKAGE / "tui"
    opens, calls = (
        {str(path.relative_to(tui)) for path in tui.rglob("*.py") if word in path.read_text(encoding="utf-8")}
        for word in ("connect(", "call_from_thread")
    )
    assert opens == {"app.py", "poll.py"} and not calls


def imports() -> dict[str, set[str]]:
    """Module -> radtui's own modules that it names in any import, in functions and for types alone as well."""
    files = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    graph = {}
    for name, path in files.items():
        named: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {part.name for part in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{part.name}" for part in node.names}
                named |= whole & files.keys() or {node.module}
        graph[name] = (named & files.keys()) - {name}
    return graph


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """What is left when modules that import nothing more, and those that nobody imports, are taken away."""
    left = {name: set(imported) for name, imported in graph.items()}
    while True:
        used = set().union(*left.values()) if left else set()
        free = {name for name, imported in left.items() if not imported or name not in used}
        if not free:
            return sorted(left)
        left = {name: imported - free for name, imported in left.items() if name not in free}


def test_no_module_imports_itself_by_a_detour() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]
    assert cycles(imports()) == []


def test_every_room_stands_in_the_contracts() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["name"]: each for each in project["tool"]["importlinter"]["contracts"]}
    rooms = {module_name(path) for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    rooms |= {module_name(path) for path in PACKAGE.glob("*/__init__.py")}
    layered = {
        room.strip() for layer in contracts["Rooms are layered"]["layers"] for room in layer.split("|")
    }
    assert rooms - layered == {"radtui.worker"}
    assert rooms - set(contracts["The app never meets the worker"]["source_modules"]) == {"radtui.worker"}
