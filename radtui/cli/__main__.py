"""`python -m radtui.cli` is `radtui`."""

from radtui.cli import main

main()
