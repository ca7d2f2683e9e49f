"""Rules beside a run: what is slow or fails never holds it up."""

import sys
import threading
from dataclasses import replace

import pytest
from results import result

from app.alerts import reactions
from app.alerts.rules import AlertError, Alerts, Broker, Reaction, Rule
from app.alerts.runner import MAX_WAITING, AlertRunner, Outcome


class Told:
    def __init__(self):
        self.outcomes = []
        self._more = threading.Condition()

    def __call__(self, outcome):
        with self._more:
            self.outcomes.append(outcome)
            self._more.notify_all()

    def wait(self, count):
        with self._more:
            assert self._more.wait_for(lambda: len(self.outcomes) >= count, 30)
        return self.outcomes


@pytest.fixture
def told():
    return Told()


def rule(name="r", action="wave", kind="command", value=(sys.executable, "-c", ""), **given):
    return Rule(name, action, (Reaction(kind, value),), **{"lasts_s": 1.0, "limit_s": 0.0, **given})


def test_a_rule_that_fires_is_done_and_told(told):
    runner = AlertRunner(Alerts((rule(),)), told)
    runner(result(2.0, "wave"))
    assert told.wait(1) == [Outcome("r")]
    runner.close()


def test_a_failure_is_told_and_the_next_reaction_is_done_all_the_same(told, tmp_path):
    out = tmp_path / "done"
    both = (
        Reaction("command", ("no-such-program",)),
        Reaction("command", (sys.executable, "-c", f"open({str(out)!r}, 'w')")),
    )
    runner = AlertRunner(Alerts((Rule("r", "wave", both, lasts_s=1.0),)), told)
    runner(result(2.0, "wave"))
    failed, done = told.wait(2)
    assert "no program" in failed.failure
    assert done == Outcome("r")
    assert out.exists()
    runner.close()


def test_the_action_that_is_shown_is_that_of_the_person_with_the_lowest_number(monkeypatch):
    shown, done = [], threading.Event()
    monkeypatch.setattr("app.alerts.mqtt.MqttLink.show_action", lambda _, action: (shown.append(action), done.set()))
    runner = AlertRunner(Alerts(broker=Broker("127.0.0.1", home_assistant=True)))
    both = result(1.0, "wave", "clap")
    runner(replace(both, persons=both.persons[::-1]))
    assert done.wait(60)
    runner.close()
    assert shown == ["wave"]


def test_what_is_stuck_holds_nothing_up_and_what_finds_no_place_is_told(told, monkeypatch):
    stuck, release = threading.Event(), threading.Event()

    def slow(arguments):
        stuck.set()
        release.wait(60)

    monkeypatch.setattr(reactions, "run_command", slow)
    runner = AlertRunner(Alerts((rule(),)), told)
    runner(result(2.0, "wave"))
    assert stuck.wait(60)
    for number in range(MAX_WAITING + 3):  # each is another time that somebody waves
        runner(result(10.0 + 2 * number, "wave", since_s=8.0 + 2 * number))
    lost = told.wait(3)
    assert len(lost) == 3
    assert all("are already waiting" in outcome.failure for outcome in lost)
    release.set()
    runner.close()


def test_all_that_waits_can_be_waited_for(told, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(reactions, "run_command", lambda arguments: go_on.wait(60))
    runner = AlertRunner(Alerts(tuple(rule(f"r{number}") for number in range(6))), told)
    runner(result(2.0, "wave"))
    assert not runner.wait(0.05)
    go_on.set()
    assert runner.wait(60)
    assert told.outcomes == [Outcome(f"r{number}") for number in range(6)]
    runner.close()


def test_an_alert_that_is_lost_at_the_end_is_told(told, monkeypatch):
    stuck, release = threading.Event(), threading.Event()
    monkeypatch.setattr(reactions, "run_command", lambda arguments: (stuck.set(), release.wait(60)))
    runner = AlertRunner(Alerts(tuple(rule(f"r{number}") for number in range(3))), told)
    runner(result(2.0, "wave"))
    assert stuck.wait(60)
    runner.close()
    assert [(outcome.rule, outcome.lost_s) for outcome in told.outcomes] == [("r1", 2.0), ("r2", 2.0), ("r0", 2.0)]
    assert [outcome.failure.partition(":")[0] for outcome in told.outcomes] == ["skipped", "skipped", "left unfinished"]
    release.set()


def test_a_rule_can_be_tried_and_others_used(told):
    runner = AlertRunner(Alerts((rule(),)), told)
    runner.try_rule(rule("mine", value=("no-such-program",)))
    assert told.wait(1)[0].rule == "mine"
    runner.use(Alerts((rule("second", "clap"),)))
    runner(result(2.0, "wave"))
    runner(result(2.1, "clap"))
    assert told.wait(2)[1] == Outcome("second")
    runner.close()


def test_a_fault_of_ours_ends_one_reaction_and_not_the_thread(told, monkeypatch):
    def broken(arguments):
        raise RuntimeError("oops, not http://me:secret@10.0.0.7/x")

    monkeypatch.setattr(reactions, "run_command", broken)
    runner = AlertRunner(Alerts((rule(),)), told)
    runner.try_rule(rule())
    runner.try_rule(rule())
    assert [outcome.failure for outcome in told.wait(2)] == ["RuntimeError: oops, not http://10.0.0.7/x"] * 2
    runner.close()


def test_the_action_is_shown_whenever_it_changes(monkeypatch):
    shown = []
    monkeypatch.setattr("app.alerts.mqtt.MqttLink.show_action", lambda _, action: shown.append(action))
    runner = AlertRunner(Alerts(broker=Broker("127.0.0.1", home_assistant=True)))
    for time_s, actions in ((1.0, ["wave"]), (1.1, ["wave", "clap"]), (1.2, ["clap"]), (1.3, []), (1.4, [])):
        runner(result(time_s, *actions))
        assert runner.wait(60)
    runner.close()
    assert shown == ["wave", "clap", "nobody"]


def test_a_broker_that_failed_is_not_tried_again_at_once_with_another_action(told, monkeypatch):
    trying, go_on, shown = threading.Event(), threading.Event(), []

    def show(link, action):
        shown.append(action)
        trying.set()
        assert go_on.wait(60)
        raise AlertError("no broker here")

    monkeypatch.setattr("app.alerts.mqtt.MqttLink.show_action", show)
    runner = AlertRunner(Alerts(broker=Broker("127.0.0.1", home_assistant=True)), told)
    runner(result(1.0, "wave"))
    assert trying.wait(60)
    runner(result(1.1, "clap"))  # while the first attempt goes on
    go_on.set()
    assert runner.wait(60)
    runner(result(1.2))  # after it
    assert runner.wait(60)
    assert shown == ["wave"]
    monkeypatch.setattr("app.alerts.runner._AGAIN_S", 0.0)
    runner(result(1.3))
    assert runner.wait(60)
    runner.close()
    assert shown == ["wave", "nobody"]
    assert told.outcomes == [Outcome("Home Assistant", "no broker here")] * 2


def test_an_action_that_could_not_be_shown_is_shown_later_though_it_goes_on(told, monkeypatch):
    shown = []

    def show(link, action):
        shown.append(action)
        if len(shown) < 3:
            raise AlertError("no broker here")

    monkeypatch.setattr("app.alerts.mqtt.MqttLink.show_action", show)
    runner = AlertRunner(Alerts(broker=Broker("127.0.0.1", home_assistant=True)), told)
    attempts = []
    for again_s in (1e6, 1e6, 0.0, 0.0, 0.0):
        monkeypatch.setattr("app.alerts.runner._AGAIN_S", again_s)
        runner(result(1.0, "wave"))
        assert runner.wait(60)
        attempts.append(len(shown))
    runner.close()
    assert attempts == [1, 1, 2, 3, 3]
    assert shown == ["wave"] * 3


def test_the_action_is_shown_again_after_an_mqtt_alert_that_failed(told, monkeypatch):
    def publish(link, topic, values):
        raise AlertError("no broker here")

    shown = []
    monkeypatch.setattr("app.alerts.mqtt.MqttLink.publish", publish)
    monkeypatch.setattr("app.alerts.mqtt.MqttLink.show_action", lambda _, action: shown.append(action))
    monkeypatch.setattr("app.alerts.runner._AGAIN_S", 0.0)
    runner = AlertRunner(Alerts(broker=Broker("127.0.0.1", home_assistant=True)), told)
    runner(result(1.0, "wave"))
    assert runner.wait(60)
    runner.try_rule(rule(kind="mqtt", value="gym"))
    assert runner.wait(60)
    for _ in range(2):
        runner(result(1.1, "wave"))
        assert runner.wait(60)
    runner.close()
    assert shown == ["wave", "wave"]


@pytest.fixture
def full(told, monkeypatch):
    """full(alerts): a runner that is stuck and has no place for another alert, and what sets it free."""
    stuck, release = threading.Event(), threading.Event()

    def slow(arguments):
        stuck.set()
        release.wait(60)

    monkeypatch.setattr(reactions, "run_command", slow)
    runners = []

    def make(alerts):
        runners.append(AlertRunner(alerts, told))
        runners[0].try_rule(rule("first"))
        assert stuck.wait(60)
        for _ in range(MAX_WAITING):
            runners[0].try_rule(rule("waiting"))
        runners[0].try_rule(rule("lost"))
        assert [outcome.rule for outcome in told.outcomes] == ["lost"]
        return runners[0], release

    yield make
    release.set()
    runners[0].close()


def test_other_rules_are_used_though_there_is_no_place_for_an_alert(full, told):
    runner, release = full(Alerts((rule(),)))
    runner.use(Alerts((rule("second", "clap", "key", "space"),)))
    release.set()
    told.wait(MAX_WAITING + 2)
    runner(result(2.0, "clap"))
    last = told.wait(MAX_WAITING + 3)[-1]
    assert last.rule == "second"
    assert not [outcome for outcome in told.outcomes if outcome.rule == "rules"]


def test_of_actions_only_the_newest_is_shown_and_after_every_alert(told, monkeypatch):
    stuck, release, done = threading.Event(), threading.Event(), []
    monkeypatch.setattr(reactions, "run_command", lambda arguments: (stuck.set(), release.wait(60), done.append("r")))
    monkeypatch.setattr("app.alerts.mqtt.MqttLink.show_action", lambda _, action: done.append(action))
    runner = AlertRunner(Alerts(broker=Broker("127.0.0.1", home_assistant=True)), told)
    runner.try_rule(rule())
    assert stuck.wait(60)
    for number in range(MAX_WAITING + 1):
        runner(result(1.0 + number / 10, "wave" if number % 2 else "clap"))
    for _ in range(MAX_WAITING):
        runner.try_rule(rule())
    runner(result(5.0, "idle"))
    release.set()
    assert runner.wait(60)
    runner.close()
    assert done == ["r"] * (MAX_WAITING + 1) + ["idle"]
    assert not [outcome for outcome in told.outcomes if outcome.failure]
