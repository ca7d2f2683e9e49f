"""The file of rules."""

import itertools
import os

import pytest

from app.alerts.rules import AlertError, Alerts, Broker, Reaction, Rule, as_toml, load, save

WHOLE = Alerts(
    (
        Rule(
            "hands up",
            "wave",
            (Reaction("sound"), Reaction("command", ("aplay", 'my "song".wav'))),
            lasts_s=2.5,
            limit_s=0.0,
        ),
        Rule(
            "ten",
            "push_up",
            (Reaction("post", "http://127.0.0.1:9/x"), Reaction("osc", "127.0.0.1:9000/x")),
            times=10,
            on=False,
        ),
        Rule(
            "gone",
            "nobody",
            (Reaction("mqtt", "room/empty"), Reaction("notify", "nobody\nis \u00e4 here")),
            lasts_s=60.0,
        ),
    ),
    ("example.org",),
    True,
    Broker("broker.local", 8883, True, "me", "SECRET", True),
)


def test_what_is_saved_is_read_again(tmp_path):
    file = tmp_path / "new folder" / "alerts.toml"
    save(WHOLE, file)
    assert load(file) == WHOLE
    assert [f.name for f in file.parent.iterdir()] == ["alerts.toml"]


def test_a_file_written_by_hand(tmp_path):
    file = tmp_path / "alerts.toml"
    file.write_text('[[rule]]\naction = "idle"\nlasts_s = 3\ndo = [{ sound = "" }]\n[mqtt]\nhost = "h"\ntls = true\n')
    alerts = load(file)
    assert alerts.rules == (Rule("idle 3", "idle", (Reaction("sound"),), lasts_s=3.0),)
    assert alerts.broker == Broker("h", 8883, True)
    assert not alerts.allow_keys


def test_hosts_are_known_however_they_are_written(tmp_path):
    (tmp_path / "alerts.toml").write_text('allowed_hosts = ["Example.ORG", "nas"]')
    assert load(tmp_path / "alerts.toml").allowed_hosts == ("example.org", "nas")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rule = 3", "rule must be a list"),
        ("rules = []", "'rules' is not one of"),
        ('[[rule]]\naction = "a"\nlasts_s = 1', "does nothing"),
        ('[[rule]]\naction = "a"\ndo = [{sound=""}]', "needs lasts_s or times"),
        ('[[rule]]\naction = "a"\nlasts_s = 1\ntimes = 2\ndo = [{sound=""}]', "needs lasts_s or times"),
        ('[[rule]]\naction = "a"\nlasts_s = -1\ndo = [{sound=""}]', "from 0 on"),
        ('[[rule]]\naction = "a"\nlasts_s = nan\ndo = [{sound=""}]', "from 0 on"),
        ('[[rule]]\naction = "a"\ntimes = 0\ndo = [{sound=""}]', "whole number from 1 to"),
        ('[[rule]]\naction = "a"\ntimes = true\ndo = [{sound=""}]', "whole number from 1 to"),
        ('[[rule]]\naction = "walk"\ntimes = 3\ndo = [{sound=""}]', "walk is not counted"),
        ('[[rule]]\nlasts_s = 1\ndo = [{sound=""}]', "has no action"),
        ('[[rule]]\naction = "a"\nlasts_s = 1\ndo = [{shell="rm"}]', "is one of sound"),
        ('[[rule]]\naction = "a"\nlasts_s = 1\ndo = [{command="rm -r x"}]', "a command is a list"),
        ('[[rule]]\naction = "a"\nlasts_s = 1\ndo = [{post=""}]', "post needs a text"),
        ('[[rule]]\naction = "a"\nlasts_s = 1\non = 1\ndo = [{sound=""}]', "on must be true or false"),
        ('[mqtt]\nhost = "h"\nport = 99999', "port from 1 to 65535"),
        ('[mqtt]\nhost = "mqtt://me:secret@10.0.0.7"', "host is a name alone, as in"),
        ('[mqtt]\npassword = "p"', "'password' is not one of"),
        ("a = = 1", "is not a valid TOML file"),
        ("a = 1" + "0" * 5000, "is not a valid TOML file"),
        ("a = " + "[" * 100_000, "is not a valid TOML file"),
        ("allowed_hosts = [3]", "allowed_hosts is a list of names"),
        ('[[rule]]\naction = "a"\nlasts_s = 1\ndo = 3', "do must be a list"),
        ('[[rule]]\naction = "a"\nlasts_s = 1\ndo = {sound=""}', "do must be a list"),
        ('[[rule]]\naction = "a"\nlasts_s = 0x1' + "0" * 400 + '\ndo = [{sound=""}]', "from 0 on"),
        ('[[rule]]\naction = "a"\ntimes = 0x1' + "0" * 5000 + '\ndo = [{sound=""}]', "whole number from 1 to"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, says):
    file = tmp_path / "alerts.toml"
    file.write_text(text)
    with pytest.raises(AlertError, match=says) as error:
        load(file)
    assert "\n" not in str(error.value)


def test_two_rules_of_one_name_are_refused(tmp_path):
    file = tmp_path / "alerts.toml"
    file.write_text(as_toml(Alerts((WHOLE.rules[0], WHOLE.rules[0]))), encoding="utf-8")
    with pytest.raises(AlertError, match="two rules called 'hands up'"):
        load(file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(AlertError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_nothing_is_lost_where_it_cannot_be_kept(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(AlertError, match="cannot be kept"):
        save(WHOLE, tmp_path / "folder" / "alerts.toml")
    assert as_toml(Alerts()) == "allowed_hosts = []\nallow_keys = false\n"


ODD = (
    *("3", "-1", "0", "1.5", "nan", "-inf", "true", '""', '"x"', "[]", "[3]", "[[]]", '[""]', "{}", "{a = 1}"),
    *("1979-05-27", "07:32:00", "0x1" + "0" * 5000, "1" + "0" * 400, "9" * 5000, "[{}]", "[{command = []}]"),
)
WHOLE_RULE = {"name": '"n"', "action": '"a"', "lasts_s": "1", "limit_s": "1", "on": "true", "do": '[{sound = ""}]'}
WHOLE_BROKER = {"host": '"h"', "port": "1", "tls": "true", "username": '""', "home_assistant": "true"}


def test_no_value_of_another_kind_ends_in_anything_but_a_line(tmp_path):
    file = tmp_path / "alerts.toml"
    texts = [f"{key} = {odd}" for key in ("rule", "mqtt", "allowed_hosts", "allow_keys") for odd in ODD]
    for head, whole in (("[[rule]]", WHOLE_RULE), ("[mqtt]", WHOLE_BROKER)):
        for key, odd in itertools.product((*whole, "times", "password_env"), ODD):
            values = {**whole, key: odd}
            if key == "times":
                values.pop("lasts_s", None)
            texts.append("\n".join([head, *(f"{name} = {value}" for name, value in values.items())]))
    refused = []
    for text in texts:
        file.write_text(text)
        try:
            read = load(file)
        except AlertError as error:
            refused.append(str(error))
        else:
            save(read, file)
            assert load(file) == read
    assert len(texts) > len(refused) > 200
    assert not [line for line in refused if "\n" in line]


def test_a_rule_of_no_seconds_has_a_name_too(tmp_path):
    file = tmp_path / "alerts.toml"
    file.write_text('[[rule]]\naction = "push_up"\nlasts_s = 0\ndo = [{sound = ""}]')
    assert load(file).rules[0].name == "push up 0"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a user's files from others by their folder")
def test_only_the_user_may_read_the_file(tmp_path):
    file = tmp_path / "alerts.toml"
    file.write_text("")
    file.chmod(0o644)
    save(WHOLE, file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_nothing_is_saved_that_could_not_be_read_again(tmp_path):
    file = tmp_path / "alerts.toml"
    rule = Rule("a", "wave", (Reaction("sound"),), 2.0)
    with pytest.raises(AlertError, match="two rules called 'a'"):
        save(Alerts((rule, rule)), file)
    with pytest.raises(AlertError, match="a command is a list"):
        save(Alerts((Rule("b", "wave", (Reaction("command", ("",)),), 2.0),)), file)
    assert not file.exists()
