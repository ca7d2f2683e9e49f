"""docs/data-terms.md says of the data behind the shipped weights what their cards say."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in (ROOT / "docs" / "data-terms.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
][2:]


def test_the_table_has_every_source_of_every_card_and_no_other():
    cards = [*(ROOT / "weights").glob("*/card.json"), *(ROOT / "weights").glob("*/generator.json")]
    stated = {
        (source["name"], source["source"], source["terms"], card.parent.name)
        for card in cards
        for source in json.loads(card.read_text(encoding="utf-8"))["training_data"]
    }
    assert len(cards) >= 5
    assert {(*row[:3], name) for row in TABLE for name in row[3].split(", ")} == stated
