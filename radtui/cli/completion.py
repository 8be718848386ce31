"""The command that prints what a shell needs to complete radtui's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_RADTUI_COMPLETE"  # click's own way: the shell asks radtui itself, which is told so by this
INTO = {
    "bash": "echo 'eval \"$(radtui completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(radtui completion zsh)\"' >> ~/.zshrc",
    "fish": "radtui completion fish > ~/.config/fish/completions/radtui.fish",
}


@click.command(epilog="\b\n" + "\n".join(f"{shell:<5} {command}" for shell, command in INTO.items()))
@click.argument("shell", type=click.Choice(list(INTO)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete commands and options with the tab key."""
    shell_class = get_completion_class(shell)
    assert shell_class is not None, shell
    click.echo(shell_class(context.find_root().command, {}, "radtui", VARIABLE).source())
