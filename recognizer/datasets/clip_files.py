"""Recorded clips by the path of their file: a PYSKL pickle, or an export of the app's library.

A path may end in @SPLIT, the name of one of the splits in the file: clips.pkl@xsub is xsub_train against xsub_val,
clips.pkl@split2 is train2 against test2. Of numbered splits the first is used where none is named.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.datasets import pyskl, restricted_pickle
from recognizer.datasets.dataset import ReadResult
from recognizer.datasets.errors import DataError, EmptyFileError
from recognizer.datasets.library_exports import LibraryExport, is_tables, read_coco, read_tables
from recognizer.datasets.sequences import ActionSequence

log = logging.getLogger(__name__)

KINDS = "a PYSKL pickle (.pkl), or what the library exported: a pickle, a folder of tables, or coco's .json"
_PICKLES = (".pkl", ".pickle")
_TEST_EVERY = 3  # of the people, every such one tests where a file has no split


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A file of clips. split: the one of its splits that was asked for, "" where there is no choice."""

    path: Path
    split: str = ""

    @property
    def name(self) -> str:
        """The file's name and the split, without the folder."""
        return self.path.resolve().name + (f"@{self.split}" if self.split else "")


def clip_file(text: str) -> ClipFile | None:
    """What an argument names, if it is a path that is there or reads like one; None for what may be another name."""
    path = Path(text)
    if path.exists():
        return ClipFile(path)
    before, mark, split = text.rpartition("@")
    if mark and (Path(before).exists() or _looks_like_path(before)):
        return ClipFile(Path(before), split)
    return ClipFile(path) if _looks_like_path(text) else None


def named_file(text: str) -> ClipFile:
    """What an argument names that can be nothing but a file."""
    return clip_file(text) or ClipFile(Path(text))


def read(file: ClipFile) -> list[ReadResult]:
    """Every labelled clip with its part after the file's split, and in the place of one that cannot be used the reason.

    Where no split tests any clip, every third person does, in the order of their numbers. DataError, one line, where
    there is no such file, it is of another kind or holds no clip, its splits are several without numbers and none was
    asked for, there is neither a split nor a second person, or an action is tested that no training clip shows.
    """
    exported = _exported(file.path)
    found = [_checked(one, file) for one in exported.found]
    sequences = [one for one in found if isinstance(one, ActionSequence)]
    if not sequences:
        raise DataError(f"{file.path}: no labelled clip that can be used; label some and export again")
    twice = [name for name, count in Counter(sequence.name for sequence in sequences).items() if count > 1]
    if twice:
        raise DataError(f"{file.path}: two clips are called {twice[0]}; write the file again")
    parts = _parts(file, exported.splits)
    if not parts or not {"test", "validation"} & {parts.get(sequence.name) for sequence in sequences}:
        parts = _by_person(file, [sequence for sequence in sequences if sequence.name in (parts or {sequence.name})])
    elif "test" not in parts.values():
        parts = {name: "test" if part == "validation" else part for name, part in parts.items()}
    used = [_with_part(one, parts) for one in found if not isinstance(one, ActionSequence) or one.name in parts]
    _check_actions(file, [one for one in used if isinstance(one, ActionSequence)])
    return used


def _looks_like_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.lower().endswith((*_PICKLES, ".json"))


def _exported(path: Path) -> LibraryExport:
    if not path.exists():
        raise DataError(f"no file {path}; give {KINDS}")
    if path.is_dir() and is_tables(path):
        return read_tables(path)
    if path.suffix.lower() == ".json":
        return read_coco(path)
    if path.suffix.lower() not in _PICKLES:
        raise DataError(f"{path} is not {KINDS}")
    content = restricted_pickle.load(path)
    splits = content.get("split") if isinstance(content, dict) else None
    if not isinstance(splits, dict) or not isinstance(content.get("annotations"), list):
        raise DataError(f"{path}: not in PYSKL's format (a dict with `split` and a list `annotations`)")
    names = [name for note in content["annotations"] if (name := pyskl.name_of(note)) is not None]
    try:
        found = pyskl.pyskl_to_sequences({**content, "split": {"train": names, "test": []}})
        return LibraryExport(list(found), pyskl.parts_of(splits, strict=True))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _checked(one: ReadResult, file: ClipFile) -> ReadResult:
    if isinstance(one, ActionSequence) and not one.seen.any():
        return EmptyFileError(f"{file.path}: {one.name}: nobody in it, left out")
    return type(one)(f"{file.path}: {one}") if isinstance(one, DataError) else one


def _parts(file: ClipFile, splits: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The part of each clip of the split that is meant; empty where the file has none."""
    if file.split:
        if file.split not in splits:
            there = ", ".join(name for name in splits if name) or "none"
            raise DataError(f"{file.path}: no split {file.split!r}; there are: {there}")
        return dict(splits[file.split])
    if len(splits) > 1 and (first := pyskl.first_of(splits)) is not None:
        log.warning("%s has splits %s; %s is used, name another behind the path", file.path, ", ".join(splits), first)
        return dict(splits[first])
    if len(splits) > 1:
        first = next(name for name in splits if name)
        raise DataError(
            f"{file.path}: has splits {', '.join(splits)}; name one behind the path, as in {file.path}@{first}"
        )
    return dict(next(iter(splits.values()), {}))


def _by_person(file: ClipFile, sequences: Sequence[ActionSequence]) -> dict[str, str]:
    people = sorted({sequence.subject for sequence in sequences if sequence.subject is not None})
    if len(people) < 2:
        raise DataError(
            f"{file.path}: no split, and not two people to make one by; split the clips in the library (F3), or write "
            "`split` with a train and a test list, and export again"
        )
    testing = set(people[_TEST_EVERY - 1 :: _TEST_EVERY] or people[-1:])
    known = [sequence for sequence in sequences if sequence.subject is not None]
    unknown = len(sequences) - len(known)
    left = f", and {unknown} clips of nobody that is named are left out" if unknown else ""
    log.warning("%s: no split, so %d of %d people test%s", file.path, len(testing), len(people), left)
    return {sequence.name: "test" if sequence.subject in testing else "train" for sequence in known}


def _with_part(one: ReadResult, parts: Mapping[str, str]) -> ReadResult:
    if not isinstance(one, ActionSequence):
        return one
    return replace(one, test=parts[one.name] == "test", validation=parts[one.name] == "validation")


def _check_actions(file: ClipFile, sequences: Sequence[ActionSequence]) -> None:
    learnt = {sequence.action for sequence in sequences if not sequence.test and not sequence.validation}
    missing = sorted({sequence.action for sequence in sequences} - learnt)
    if not learnt:
        raise DataError(f"{file.path}: its split has no clip to learn from; put some into train")
    if missing:
        raise DataError(
            f"{file.path}: {missing[0]!r} is in no training clip, but in others; put some of its clips into train, or "
            "take all of them out of the split"
        )
