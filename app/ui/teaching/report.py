"""The results of a taught recognizer's check, as sentences and a table."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.names_in_text import action_in_text, with_isolated
from app.plurals import counted
from app.teaching_process import STARTING, Progress
from app.ui.wrapping_label import breakable
from recognizer.action_names import action_text
from recognizer.decision import UNKNOWN

_MIN_NOTHING_S = 30.0  # of footage of nothing: with less, one alarm more or less means hundreds an hour
_NOT_CHECKED = "not checked"
_MAX_NAMES = 12  # of the examples of an action
_MAX_CONFUSIONS, _MAX_FINDINGS, _WORST = 3, 4, 2
_STAGES = {STARTING: "Loading what teaching needs", "": "Working"}
_HELD_OUT = {
    "sessions": "sessions that it had not seen",
    "people": "people that it had not seen",
    "clips": "examples that it had not seen, of the same sessions",
    "test": "the test part of the split, which it is never trained on",
}


def as_html(check: Mapping[str, Any]) -> str:
    """The check (recognizer.teaching.check.Check.to_json) for a text view; whatever a file says of it."""
    try:
        return _left_to_right(_report_html(check))
    except (KeyError, TypeError, ValueError, AttributeError):
        return "<p>The results of its check cannot be read.</p>"


def _report_html(check: Mapping[str, Any]) -> str:
    if not check:
        return "<p>It has no recorded check.</p>"
    parts = [f"<p><b>{escape(line)}</b></p>" for line in _findings(check)]
    parts += [_check_html(one) for one in check.get("checks", ())]
    if check.get("variants"):
        parts.append(_variants_html(check["variants"]))
    alarms = check.get("alarms")
    if alarms is None:
        parts.append("<p>No footage of “nothing” was checked, so false alarms are not known.</p>")
    elif alarms["seconds"] < _MIN_NOTHING_S:
        parts.append(
            f"<p>{alarms['seconds']:.0f} s of “nothing” is too short to estimate false alarms; record a minute.</p>"
        )
    else:
        parts.append(_alarms_html(alarms))
    needed = {action: count for action, count in check.get("needed", {}).items() if count}
    if needed:
        more = ", ".join(f"{count} more of {escape(action_in_text(action))}" for action, count in needed.items())
        parts.append(f"<p>Record {more}.</p>")
    if check.get("suspects"):
        rows = "".join(
            f"<li>{escape(one['clip'])}: labelled {escape(action_in_text(one['action']))}, "
            f"looks like {escape(action_in_text(one['looks_like']))}</li>"
            for one in check["suspects"][:8]
        )
        parts.append(f"<p>Labels to check:</p><ul>{rows}</ul>")
    parts += [f"<p>{escape(str(remark))}</p>" for remark in check.get("remarks", ())]
    return "".join(parts)


def plain_result(check: Mapping[str, Any], first: str = "") -> str:
    """What is wrong with a taught recognizer, as a list of sentences for a label. first: what is said before."""
    try:
        lines = _plain_lines(check)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        lines = ["The results of its check cannot be read."]
    return _left_to_right("".join(f"<p>{escape(breakable(line))}</p>" for line in [first, *lines] if line))


def _left_to_right(html: str) -> str:
    """Mark every paragraph as left to right. Qt would otherwise take the direction from a name at its start, even an
    isolated one."""
    return html.replace("<p>", '<p dir="ltr">')


def _plain_lines(check: Mapping[str, Any]) -> list[str]:
    lines = _findings(check)[:_MAX_FINDINGS]
    strictest = check["checks"][0] if check.get("checks") else None
    if strictest is not None:
        # The findings have them in plainer words; versions that were taught before have none.
        confusions = () if check.get("findings") else strictest["confusions"]
        for true, answer, count in confusions[:_MAX_CONFUSIONS]:
            of = strictest["actions"][true]["clips"]
            taken = "not recognised" if answer == UNKNOWN else f"mistaken for {action_in_text(answer)}"
            lines.append(f"{action_in_text(true)} is {taken} in {count} of {counted(of, 'take')}.")
        if strictest.get("verdict"):
            lines.append(_sentence(strictest["verdict"]))
        elif not lines and strictest["clips"]:
            lines.append(f"No mistake in {counted(strictest['clips'], 'take')}.")
    alarms = check.get("alarms")
    if alarms and alarms["seconds"] >= _MIN_NOTHING_S:
        minutes = alarms["seconds"] / 60
        shown = ", ".join(
            f"{action_in_text(action)} {counted(count, 'time')}" for action, count in alarms["shown"].items()
        )
        lines.append(f"In {minutes:.1f} min of “nothing”: {shown or 'no false alarm'}.")
    for action, count in check.get("needed", {}).items():
        if count:
            lines.append(f"{action_in_text(action)} needs {counted(count, 'more take')}.")
    return [*lines, *map(str, check.get("remarks", ()))]


def _findings(check: Mapping[str, Any]) -> list[str]:
    names = {action_text(str(one["action"])) for one in check.get("findings", ())}
    names |= {action_text(action) for one in check.get("checks", ()) for action in one["actions"]}
    return [with_isolated(_sentence(str(one["text"])), names) for one in check.get("findings", ())]


def worst_takes(check: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The takes that are most worth another look: the name of the example, and which take it is."""
    try:
        found: dict[str, str] = {}
        for one in check.get("suspects", ()):
            labelled, seen = (action_in_text(one[name]) for name in ("action", "looks_like"))
            found[str(one["clip"])] = f"A take of {labelled} looks like {seen}."
        for one in check.get("findings", ()):
            for worst, take in zip(("Worst", "Second worst"), one["takes"], strict=False):
                found.setdefault(str(take), f"{worst} take of {action_in_text(one['action'])}: it may be why.")
    except (KeyError, TypeError):
        return []
    return list(found.items())[:_WORST]


def _alarms_html(alarms: Mapping[str, Any]) -> str:
    low, high = alarms.get("interval") or (None, None)
    between = f" ({low:.0f} to {high:.0f})" if low is not None and high is not None else ""
    minutes = alarms["seconds"] / 60
    return f"<p><b>{alarms['an_hour']:.1f}</b> false alarms per hour{between}, in {minutes:.1f} min of “nothing”.</p>"


def examples_html(actions: Mapping[str, Sequence[str]], check: Mapping[str, Any] | None = None) -> str:
    """The examples that made a recognizer, by action; then the generated ones that the check tells of, by the example
    that each goes with."""
    try:
        return _left_to_right(_examples_html(actions) + _synthetic_html((check or {}).get("variants")))
    except (KeyError, TypeError, ValueError, AttributeError):
        return _left_to_right(_examples_html(actions))


def _synthetic_html(tried: Mapping[str, Any] | None) -> str:
    if not tried or not tried["made"]:
        return ""
    by_action: dict[str, list[str]] = {}
    for each in tried["made"]:
        by_action.setdefault(str(each["action"]), []).append(str(each["name"]))
    return (
        f"<p><b>And of {len(tried['made'])} synthetic examples</b>, generated by {escape(str(tried['generator']))} "
        f"({escape(str(tried['sha256'])[:12])}), seed {escape(str(tried['seed']))}; none was used in the check</p>"
        + _rows_html(by_action)
    )


def _examples_html(actions: Mapping[str, Sequence[str]]) -> str:
    if not actions:
        return "<p>Its training examples are not recorded.</p>"
    return f"<p><b>Trained on these examples</b></p>{_rows_html(actions)}"


def _rows_html(actions: Mapping[str, Sequence[str]]) -> str:
    return "".join(
        f"<p><b>{escape(action_in_text(action))}</b> ({len(names)}): "
        f"{', '.join(map(escape, names[:_MAX_NAMES]))}{_more_names(names)}</p>"
        for action, names in sorted(actions.items())
    )


def _more_names(names: Sequence[str]) -> str:
    """Of many names the rest, which clips.json beside the model has."""
    return f" and {len(names) - _MAX_NAMES} more, listed in its clips.json" if len(names) > _MAX_NAMES else ""


def _variants_html(tried: Mapping[str, Any]) -> str:
    """What generated variants were worth, on the examples of the strictest check but that of a split."""
    examples = tried["clips"]
    what = f"{tried['variants']} generated variants of the examples, by {escape(str(tried['generator']))} (synthetic)"
    if not examples:
        return f"<p>With {what}: no example could be held out to check them; <b>not kept</b>.</p>"
    before, after = (f"{round(tried[name] * examples)} of {examples}" for name in ("accuracy_without", "accuracy_with"))
    if tried["kept"]:
        return f"<p>With {what}: <b>{after} instead of {before}</b> held-out examples correct; kept.</p>"
    if tried["accuracy_with"] > tried["accuracy_without"]:
        return (
            f"<p>With {what}: {after} instead of {before} held-out examples correct, but "
            f"{tried['alarms_with']:.1f} false alarms per hour instead of {tried['alarms_without']:.1f}; "
            "<b>not kept</b>.</p>"
        )
    return (
        f"<p>With {what}: {after} held-out examples correct, {before} without; <b>not kept</b>, "
        "the recognizer was trained without them.</p>"
    )


def progress_text(progress: Progress) -> str:
    """The current stage of a teaching and the time left."""
    stage = _STAGES.get(progress.stage, progress.stage.capitalize())
    if progress.starves:
        return f"{stage}. Other programs use the whole processor. Close them, or stop the camera (F5)."
    return f"{stage}{left_text(progress.remaining_s)}"


def left_text(remaining_s: float | None) -> str:
    """What is still to come, as the end of a sentence."""
    if remaining_s is None:
        return ""
    if remaining_s < 90:
        return f", about {remaining_s:.0f} s left"
    return f", about {remaining_s / 60:.0f} min left"


def _check_html(check: Mapping[str, Any]) -> str:
    where = _HELD_OUT.get(str(check["held_out"]), str(check["held_out"]))
    verdict, right, examples = _verdict(check), _correct_count(check), check["clips"]
    rows = "".join(
        f"<tr><td>{escape(action_in_text(action))}</td><td align=right>{_recall_text(figures)}</td>"
        f"<td align=right>{_percent(figures['precision'])}</td></tr>"
        for action, figures in check["actions"].items()
    )
    table = (
        "<table cellspacing=0 cellpadding=4><tr><th align=left>action</th><th>recognised</th>"
        f"<th>correct when shown</th></tr>{rows}</table>"
    )
    mistakes = ", ".join(
        f"{escape(action_in_text(true))} mistaken for {escape(action_in_text(answer))} ({count})"
        for true, answer, count in check["confusions"][:4]
    )
    confused = f"<p>Mistakes: {mistakes}.</p>" if mistakes else ""
    if verdict:
        within = "Within the same sessions, " if verdict.startswith(_NOT_CHECKED) else ""
        count = f" {within}{right} of {counted(examples, 'example')} were correct." if examples else ""
        return f"<p>{escape(_sentence(verdict))}{count}</p>{confused if examples else ''}"
    low, high = check.get("interval") or (None, None)
    between = f" ({low:.0%} to {high:.0%})" if low is not None and high is not None else ""
    part = f"<b>{check['accuracy']:.0%}</b>{between}"
    return f"<p>{part} of {counted(examples, 'example')} correct, on {where}.</p>{table}{confused}"


def _verdict(check: Mapping[str, Any]) -> str:
    """Why there is no accuracy; "" if there is one."""
    return str(check.get("verdict") or ("" if check["accuracy"] is not None else _NOT_CHECKED))


def _correct_count(check: Mapping[str, Any]) -> int:
    return int(check.get("right", sum(figures.get("right", 0) for figures in check["actions"].values())))


def _recall_text(figures: Mapping[str, Any]) -> str:
    """Counts, and the part with its interval where there are enough of them."""
    counts = f"{figures.get('right', 0)} of {figures['clips']}"
    if figures["recall"] is None:
        return counts
    low, high = figures.get("interval") or (None, None)
    between = f" ({low:.0%} to {high:.0%})" if low is not None and high is not None else ""
    return f"{counts}, {figures['recall']:.0%}{between}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"  # noqa: RUF001
