"""Groups of commands that know what a mistyped one was likely meant to be."""

from __future__ import annotations

from difflib import get_close_matches

import click

WHOLE_CHARACTERS = 200  # more than the longest sentence
ALIKE = 0.6  # share of letters in common, of 1, from which a name is suggested


class SuggestingGroup(click.Group):
    """A group that names the commands nearest to one that it does not have, and tells of each in a whole sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their whole first sentence, which click would cut to one line."""
        rows = [
            (name, command.get_short_help_str(limit=WHOLE_CHARACTERS))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name))
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say in one line which there is instead."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = self.nearest(ctx, args[0].lower())
            if near:
                raise click.UsageError(f"{error.message} Did you mean {' or '.join(near)}?", ctx) from error
            raise

    def nearest(self, ctx: click.Context, word: str) -> list[str]:
        """The commands that a word was likely meant to be."""
        return get_close_matches(word, self.list_commands(ctx), cutoff=ALIKE)
