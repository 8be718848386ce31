"""The command that holds an export against its chains: verify."""

from __future__ import annotations

from pathlib import Path

import click

from radtui.cli.context import print_result
from radtui.plural import many
from radtui.records import UserError


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def verify(file: Path, as_json: bool) -> None:
    """Check that no row of an export was changed, dropped or moved since it was written.

    Rows of a JSONL are linked, so each that is wrong is named; rows of a CSV are held against themselves, each other
    and the manifest beside the file. It proves that the rows are consistent with each other, not who wrote them:
    whoever makes a whole new chain can make one that is whole.
    """
    from radtui.export.verifying import verify_export

    checked = verify_export(file)
    if as_json:
        print_result(checked.to_dict(), as_json)
    else:
        for line in checked.lines():
            click.echo(line)
    if checked.problems:
        raise UserError(
            f"{file} is not as it was exported; wrong: {many(len(checked.problems), 'row or link', 'rows or links')}."
        )
