"""When rules fire."""

from dataclasses import replace

from results import result

from app.alerts.rules import Reaction, Rule
from app.alerts.watch import RuleWatch

REACTIONS = (Reaction("sound"),)


def times_of(watch, results):
    return [(alert.rule.name, round(alert.time_s, 1), alert.person) for each in results for alert in watch.add(each)]


def test_it_fires_once_when_an_action_has_lasted():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=2.0, limit_s=0.0)])
    fired = times_of(watch, (result(t / 10, "wave", since_s=1.0) for t in range(10, 100)))
    assert fired == [("r", 3.0, 0)]


def test_it_fires_again_for_the_next_time():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=1.0, limit_s=0.0)])
    results = [result(1.0, "wave", since_s=0), result(2.0, "idle", since_s=1.5), result(4.0, "wave", since_s=3.0)]
    assert times_of(watch, results) == [("r", 1.0, 0), ("r", 4.0, 0)]


def test_a_limit_holds_for_everybody_together():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=1.0, limit_s=10.0)])
    results = [
        result(1.0, "wave", "wave"),
        result(4.0, "idle", "wave", since_s=2.0),
        result(12.0, "wave", "idle", since_s=11.0),
    ]
    assert times_of(watch, results) == [("r", 1.0, 0), ("r", 12.0, 0)]


def test_what_lasts_until_the_limit_is_over_fires_then_and_what_has_ended_does_not():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=2.0, limit_s=10.0)])
    spans = [("wave", 1.0, 4.0), ("idle", 4.0, 6.0), ("wave", 6.0, 9.0), ("idle", 9.0, 10.0), ("wave", 10.0, 40.0)]
    course = [
        result(t / 10, action, since_s=begin_s)
        for action, begin_s, end_s in spans
        for t in range(int(begin_s * 10), int(end_s * 10))
    ]
    alerts = [alert for each in course for alert in watch.add(each)]
    assert [(alert.time_s, alert.lasted_s) for alert in alerts] == [(3.0, 2.0), (13.0, 3.0)]


def test_each_of_several_people_is_told_once():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=1.0, limit_s=0.0)])
    both = result(5.0, "wave", "wave")
    first, second = both.persons
    since_two = replace(second, decision=replace(second.decision, since_s=2.0))
    results = [replace(both, persons=(first, since_two))] * 5
    assert times_of(watch, results) == [("r", 5.0, 0), ("r", 5.0, 1)]


def test_a_limit_begins_anew_with_each_alert():
    watch = RuleWatch([Rule("r", "squat", REACTIONS, times=1, limit_s=10.0)])
    results = [result(float(n), "squat", repetitions=[("squat", n + 1)]) for n in range(25)]
    assert times_of(watch, results) == [("r", 0.0, 0), ("r", 10.0, 0), ("r", 20.0, 0)]


def test_unknown_idle_and_nobody_are_actions_of_a_rule():
    rules = [Rule(name, name, REACTIONS, lasts_s=1.0, limit_s=0.0) for name in ("unknown", "idle", "nobody")]
    results = [result(5.0, "unknown"), result(6.0, "idle"), result(7.0), result(7.9), result(8.0), result(9.0)]
    assert times_of(RuleWatch(rules), results) == [("unknown", 5.0, 0), ("idle", 6.0, 0), ("nobody", 8.0, None)]


def test_somebody_coming_back_begins_nobody_anew():
    watch = RuleWatch([Rule("r", "nobody", REACTIONS, lasts_s=2.0, limit_s=0.0)])
    before = [result(0.0), result(0.8), result(1.5), result(1.6, "walk"), result(1.7), result(2.6), result(3.5)]
    results = [*before, result(3.7)]
    assert times_of(watch, results) == [("r", 3.7, None)]


def test_time_without_a_result_is_not_time_with_nobody():
    watch = RuleWatch([Rule("r", "nobody", REACTIONS, lasts_s=5.0, limit_s=0.0)])
    before = [result(n / 2) for n in range(6)]
    after = [result(600.0 + n / 2) for n in range(20)]
    assert times_of(watch, before + after) == [("r", 605.0, None)]


def test_counts_fire_at_every_so_many():
    watch = RuleWatch([Rule("r", "squat", REACTIONS, times=5, limit_s=0.0)])
    results = [result(float(n), "squat", repetitions=[("squat", n)]) for n in range(1, 12)]
    assert times_of(watch, results) == [("r", 5.0, 0), ("r", 10.0, 0)]
    assert times_of(watch, [result(20.0, "kick", repetitions=[("kick", 5)])]) == []


def test_rules_that_are_off_do_nothing():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=0.0, on=False)])
    assert times_of(watch, [result(5.0, "wave")]) == []


def test_a_source_that_begins_anew_does_not_wait_for_its_old_times():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=1.0, limit_s=10.0)])
    assert times_of(watch, [result(100.0, "wave", since_s=90.0), result(2.0, "wave", since_s=0.5)]) == [
        ("r", 100.0, 0),
        ("r", 2.0, 0),
    ]


def test_nobody_in_another_run_is_counted_by_its_own_clock():
    watch = RuleWatch([Rule("r", "nobody", REACTIONS, lasts_s=5.0, limit_s=0.0)])
    assert times_of(watch, (result(90.0 + n) for n in range(8))) == [("r", 95.0, None)]
    assert times_of(watch, (result(float(n)) for n in range(60))) == [("r", 5.0, None)]


def test_a_file_that_is_played_again_fires_again():
    watch = RuleWatch([Rule("r", "wave", REACTIONS, lasts_s=1.0, limit_s=60.0)])
    played = [result(n / 10, "wave", since_s=0.5) for n in range(5, 40)]
    assert times_of(watch, played) == times_of(watch, played) == [("r", 1.5, 0)]


def test_a_run_that_begins_late_is_another_run_too():
    watch = RuleWatch([Rule("r", "nobody", REACTIONS, lasts_s=2.0, limit_s=60.0)])
    assert times_of(watch, [result(0.0), result(1.0), result(2.0)]) == [("r", 2.0, None)]
    watch.begin_run()
    assert times_of(watch, [result(3.0), result(4.0), result(5.0)]) == [("r", 5.0, None)]
