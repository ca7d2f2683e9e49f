"""The metrics of streamed sequences, as JSON and as text.

Shares and scores are floats from 0 to 1, `null` where there is nothing to count; numbers of windows, events, labels
and sequences are ints; times are seconds. The keys:

- windows: of listed actions. listed: how many. likeliest_right, shown_right, shown_wrong (another action, or idle):
  shares. macro_shown_right: the mean of shown_right over the actions. by_action: the same for each of them.
- unlisted: windows of unlisted motion. shown_listed: share shown as a listed action, idle aside. shown_idle: share
  shown as idle. by_kind: the same for each label.
- events: right, wrong, missed (labels): how many. wrong_per_hour: of labelled time.
- delay_s: p50 and p90. delay_inside_s: the same without the labels with which a recording begins.
- f1: segmental F1 by overlap. edit: the edit score, mean of the sequences with a listed label.
- minutes, labelled_minutes, sequences, labels (listed, idle aside). half_body: windows refused, of `due`.
- by_view: windows and unlisted, without by_action and by_kind, of the windows that showed the whole body, the upper
  body, or less ("none").
- by_source: windows, unlisted, events, delay_s, half_body, due and sequences of each source, without their by_action
  and by_kind.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from recognizer.decision import IDLE
from recognizer.training.streams.outcome import Outcome, WindowOutcome
from recognizer.training.streams.segmentation import OVERLAPS, Matches
from recognizer.view import View

Metrics = dict[str, Any]

_DIGITS = 4
_VIEWS: dict[str, View | None] = {"whole": "whole", "upper": "upper", "none": None}


def as_json(outcomes: Sequence[Outcome], **about: str) -> Metrics:
    """All metrics. about: further keys, which come first."""
    sources = sorted({outcome.source for outcome in outcomes})
    windows = [window for outcome in outcomes for window in outcome.windows]
    return {
        **about,
        **_metrics(outcomes),
        "f1": _f1(outcomes),
        "edit": _mean(outcome.edit for outcome in outcomes if outcome.edit is not None),
        "minutes": round(sum(outcome.seconds for outcome in outcomes) / 60, 2),
        "labelled_minutes": round(sum(outcome.labelled_s for outcome in outcomes) / 60, 2),
        "sequences": len(outcomes),
        "labels": sum(len(outcome.labels) for outcome in outcomes),
        "by_view": {name: _view_metrics([w for w in windows if w.view == view]) for name, view in _VIEWS.items()},
        "by_source": {source: _source_metrics([o for o in outcomes if o.source == source]) for source in sources},
    }


def _metrics(outcomes: Sequence[Outcome]) -> Metrics:
    listed = [window for outcome in outcomes for window in outcome.windows if window.truth is not None]
    unlisted = [window for outcome in outcomes for window in outcome.windows if window.truth is None]
    by_action = {action: _listed_metrics(group) for action, group in _grouped(listed, lambda w: str(w.truth))}
    return {
        "windows": {
            **_listed_metrics(listed),
            "macro_shown_right": _mean(metrics["shown_right"] for metrics in by_action.values()),
            "by_action": by_action,
        },
        "unlisted": {
            **_unlisted_metrics(unlisted),
            "by_kind": {kind: _unlisted_metrics(group) for kind, group in _grouped(unlisted, lambda w: w.label)},
        },
        "events": _event_metrics(outcomes),
        "delay_s": _delay_metrics(outcomes),
        "delay_inside_s": _delay_metrics(outcomes, inside=True),
        "half_body": sum(outcome.refused for outcome in outcomes),
        "due": sum(outcome.due for outcome in outcomes),
    }


def _source_metrics(outcomes: Sequence[Outcome]) -> Metrics:
    metrics = _metrics(outcomes)
    del metrics["windows"]["by_action"], metrics["unlisted"]["by_kind"], metrics["delay_inside_s"]
    return {**metrics, "sequences": len(outcomes)}


def _view_metrics(windows: Sequence[WindowOutcome]) -> Metrics:
    return {
        "windows": _listed_metrics([window for window in windows if window.truth is not None]),
        "unlisted": _unlisted_metrics([window for window in windows if window.truth is None]),
    }


def _listed_metrics(windows: Sequence[WindowOutcome]) -> Metrics:
    return {
        "listed": len(windows),
        "likeliest_right": _mean(window.likeliest == window.truth for window in windows),
        "shown_right": _mean(window.shown == window.truth for window in windows),
        "shown_wrong": _mean(window.shown not in (None, window.truth) for window in windows),
    }


def _unlisted_metrics(windows: Sequence[WindowOutcome]) -> Metrics:
    return {
        "windows": len(windows),
        "shown_listed": _mean(window.shown not in (None, IDLE) for window in windows),
        "shown_idle": _mean(window.shown == IDLE for window in windows),
    }


def _event_metrics(outcomes: Sequence[Outcome]) -> Metrics:
    wrong = sum(outcome.wrong for outcome in outcomes)
    hours = sum(outcome.labelled_s for outcome in outcomes) / 3600
    return {
        "right": sum(outcome.right for outcome in outcomes),
        "wrong": wrong,
        "missed": sum(not label.found for outcome in outcomes for label in outcome.labels),
        "wrong_per_hour": round(wrong / hours, 2) if hours else None,
    }


def _delay_metrics(outcomes: Sequence[Outcome], *, inside: bool = False) -> Metrics:
    delays = [
        label.delay_s
        for outcome in outcomes
        for label in outcome.labels
        if label.delay_s is not None and (label.inside or not inside)
    ]
    if not delays:
        return {"p50": None, "p90": None}
    p50, p90 = np.percentile(delays, [50, 90]).tolist()
    return {"p50": round(p50, _DIGITS), "p90": round(p90, _DIGITS)}


def _f1(outcomes: Sequence[Outcome]) -> Metrics:
    return {
        f"{overlap:.0%}".rstrip("%"): round(_total(outcome.matches[place] for outcome in outcomes).f1, _DIGITS)
        for place, overlap in enumerate(OVERLAPS)
    }


def _total(matches: Iterable[Matches]) -> Matches:
    each = list(matches)
    return Matches(sum(m.right for m in each), sum(m.wrong for m in each), sum(m.missed for m in each))


def _mean(values: Iterable[float]) -> float | None:
    each = list(values)
    return round(float(np.mean(each)), _DIGITS) if each else None


def _grouped(
    windows: Sequence[WindowOutcome], key: Callable[[WindowOutcome], str]
) -> list[tuple[str, list[WindowOutcome]]]:
    """Windows by a key, in its order."""
    groups: dict[str, list[WindowOutcome]] = {}
    for window in windows:
        groups.setdefault(key(window), []).append(window)
    return sorted(groups.items())


def as_text(report: Metrics) -> str:
    """The metrics as a readable report."""
    return "".join(
        f"{line}\n" for line in (*_summary(report), "", *_actions(report), *_kinds(report), *_sources(report))
    )


def _summary(report: Metrics) -> list[str]:
    windows, unlisted, events = report["windows"], report["unlisted"], report["events"]
    delay, inside = report["delay_s"], report["delay_inside_s"]
    f1 = ", ".join(f"{_percent(share)} at {overlap}%" for overlap, share in report["f1"].items())
    return [
        f"{report['model']}, {report['people']} people: {report['sequences']} sequences, {report['minutes']} minutes, "
        f"{report['labelled_minutes']} of them labelled",
        f"windows of listed actions: {windows['listed']}; likeliest right {_percent(windows['likeliest_right'])}, "
        f"shown right {_percent(windows['shown_right'])}, shown wrong {_percent(windows['shown_wrong'])}",
        f"shown right, mean over {len(windows['by_action'])} actions: {_percent(windows['macro_shown_right'])}",
        f"windows of unlisted motion: {unlisted['windows']}; shown as a listed action "
        f"{_percent(unlisted['shown_listed'])}, as idle {_percent(unlisted['shown_idle'])}",
        f"events: {events['right']} right, {events['wrong']} wrong ({_number(events['wrong_per_hour'])} an hour); "
        f"{events['missed']} of {report['labels']} labels missed",
        f"delay from the start of a label to its display: median {_number(delay['p50'])} s, "
        f"p90 {_number(delay['p90'])} s; without those with which a recording begins {_number(inside['p50'])} s, "
        f"{_number(inside['p90'])} s",
        f"segmental F1: {f1}; edit score {_percent(report['edit'])}",
        f"windows refused for half a body: {report['half_body']} of {report['due']}",
        *(_view_line(view, report["by_view"][view]) for view in ("whole", "upper")),
    ]


def _view_line(view: str, metrics: Metrics) -> str:
    windows, unlisted = metrics["windows"], metrics["unlisted"]
    return (
        f"{view} body in view: of {windows['listed']} windows {_percent(windows['shown_right'])} shown right, of "
        f"{unlisted['windows']} of unlisted motion {_percent(unlisted['shown_listed'])} shown as a listed action"
    )


def _actions(report: Metrics) -> list[str]:
    rows = [f"{'action':24} windows  likeliest   shown   wrong"]
    for action, metrics in report["windows"]["by_action"].items():
        shares = (metrics[name] for name in ("likeliest_right", "shown_right", "shown_wrong"))
        rows.append(f"{action:24} {metrics['listed']:7}  " + " ".join(f"{_percent(share):>8}" for share in shares))
    return [*rows, ""]


def _kinds(report: Metrics) -> list[str]:
    rows = [f"{'unlisted':32} windows   listed     idle"]
    for kind, metrics in report["unlisted"]["by_kind"].items():
        shares = (metrics[name] for name in ("shown_listed", "shown_idle"))
        rows.append(f"{kind:32} {metrics['windows']:7} " + " ".join(f"{_percent(share):>8}" for share in shares))
    return [*rows, ""]


def _sources(report: Metrics) -> list[str]:
    rows = [f"{'source':48} listed    right    wrong  unlisted   listed   events right, wrong, missed"]
    for source, metrics in report["by_source"].items():
        windows, unlisted, events = metrics["windows"], metrics["unlisted"], metrics["events"]
        rows.append(
            f"{source[:48]:48} {windows['listed']:6} {_percent(windows['shown_right']):>8} "
            f"{_percent(windows['shown_wrong']):>8} {unlisted['windows']:9} {_percent(unlisted['shown_listed']):>8} "
            f"{events['right']:14}, {events['wrong']}, {events['missed']}"
        )
    return rows


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
