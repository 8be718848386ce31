"""The error of a data folder that cannot be written any more, though it could."""

from __future__ import annotations

from radtui.records import UserError


class FolderGoneError(UserError):
    """The data folder, or its database, is no longer what was opened; nothing was written."""


class NewerSchemaError(FolderGoneError):
    """A newer radtui has brought the database up to date since it was opened; nothing was written."""
