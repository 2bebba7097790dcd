"""What a reader of tags is told about the tags: when one has left, which are known, whether they are hashed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.config.errors import ConfigErrors
from gateway.config.positions import KeyPath
from gateway.config.report import Report
from gateway.config.secrets import password
from gateway.config.settings import PresenceSettings, Secret
from gateway.config.tag_list import read_tag_list
from gateway.driver import TagOptions

SHORTEST_SALT = 16
"""Characters. Tags are short enough to try all of them, so that the salt alone keeps a hash from being undone."""


def presence_settings(
    options: TagOptions,
    path: KeyPath,
    report: Report,
    *,
    holds: bool,
    folder: Path,
    environ: Mapping[str, str],
    strict: bool,
) -> PresenceSettings:
    """The settings of one reader of tags; ``path`` is the device's. Mistakes go to the report.

    A list that cannot be read is a mistake when ``strict``, else a warning: a gateway starts without it, and then all
    its tags are unknown.
    """
    salt = _salt(options, (*path, "hash_salt"), report, folder, environ)
    tag_list = None
    if options.tag_list is not None:
        tag_list, at = folder / options.tag_list, (*path, "tag_list")
        try:
            read_tag_list(tag_list)
        except ConfigErrors as error:
            for problem in error.problems if strict else error.problems[:1]:
                if strict:
                    report.add(at, str(problem))
                else:
                    report.warn(at, f"{problem}; until it is repaired, all tags are unknown")
    return PresenceSettings(gone_after=options.gone_after, holds=holds, salt=salt, tag_list=tag_list)


def _salt(
    options: TagOptions, path: KeyPath, report: Report, folder: Path, environ: Mapping[str, str]
) -> Secret | None:
    if options.hash_salt is None:
        return None
    salt = password(options.hash_salt, path, report, folder=folder, environ=environ, what="salt")
    if salt is not None and len(salt.reveal()) < SHORTEST_SALT:
        hint = f"accepted: at least {SHORTEST_SALT} characters, such as from: openssl rand -hex 16"
        report.add(path, "the salt is too short to keep anything secret", hint)
    return salt
