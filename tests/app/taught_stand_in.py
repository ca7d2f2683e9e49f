"""Stand-ins for recognizers that somebody has taught."""

import json
import shutil

from app import models
from recognizer.model_card import CARD_FILE, MODEL_FILE, shipped_models


def stand_in(name, number, library=None, card_name=None):
    """A version of a taught recognizer whose card and model are those of AcT; card_name: as older ones have it."""
    folder = models.models_folder(library) / name / str(number)
    folder.mkdir(parents=True)
    for file in (CARD_FILE, MODEL_FILE):
        shutil.copyfile(shipped_models()["act"] / file, folder / file)
    card = json.loads((folder / CARD_FILE).read_text())
    card["name"] = card_name or f"{name}@{number}"
    (folder / CARD_FILE).write_text(json.dumps(card))
    (folder / "clips.json").write_text(json.dumps({"kind": "quick", "base": {"name": "act"}, "clips": []}))
    return folder
