"""A configuration works as it is written, or one line says which key is wrong and what to do."""

import tomllib
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from bot.config import Access, Config, Defaults, Tuning, load
from bot.config.keys import secret
from bot.errors import ConfigError
from bot.messages import Price, Profile, Provider

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
KEY = {"OPENAI_API_KEY": "sk-of-the-test"}
ASSISTANT = '[profiles.assistant]\nprovider = "p"\nmodel = "m"\n'
SERVER = '[providers.p]\nbase_url = "http://127.0.0.1:1/v1"\n'


def load_text(folder: Path, text: str, environment: dict[str, str] | None = None) -> Config:
    file = folder / "tunebot.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment or {})


def test_the_example_loads() -> None:
    config = load(EXAMPLE, KEY)
    assert config.profile.model == "gpt-4o-mini"
    assert config.profiles["support"].stop == (".\n",)


def test_the_example_shows_every_key_with_its_default() -> None:
    tables = tomllib.loads(EXAMPLE.read_text())
    usual = {**tables["providers"]["local"], **tables["providers"]["openai"]}
    profile = {**tables["profiles"]["support"], **tables["profiles"]["assistant"]}
    shown = {
        Provider: {**usual, "name": ""},
        Profile: {**profile, "name": ""},
        Price: tables["prices"]["gpt-4o-mini"],
    }
    free = {"api_key_env", "system", "params", "separator", "answer_prefix", "stop", "user_label"}
    for kind, table in shown.items():
        assert set(table) == {field.name for field in fields(kind)}
        for field in fields(kind):
            default = field.default
            if field.default_factory is not MISSING:
                default = field.default_factory()
            if default not in (MISSING, None) and field.name not in free:
                assert table[field.name] == default, field.name


@pytest.mark.parametrize(
    ("section", "table"),
    [(Config, ()), (Access, ("access",)), (Defaults, ("defaults",)), (Tuning, ("tuning",))],
)
def test_the_example_shows_every_default(
    section: type[Config | Access | Defaults | Tuning], table: tuple[str, ...]
) -> None:
    shown = tomllib.loads(EXAMPLE.read_text())
    for name in table:
        shown = shown[name]
    assert set(shown) == set(section.model_fields)
    plain = (str, int, float, bool, list)
    for name, value in shown.items():
        default = section.model_fields[name].default
        if isinstance(value, plain) and default not in (None, PydanticUndefined):
            wanted = list(default) if isinstance(value, list) else default
            assert value == (str(wanted) if isinstance(wanted, Path) else wanted), name


def test_the_example_shows_every_key_of_every_adapter() -> None:
    for name, table in tomllib.loads(EXAMPLE.read_text())["adapters"].items():
        settings = import_module(f"adapters.{name}").Settings
        assert table == settings().model_dump(mode="json")


def test_with_no_file_a_local_model_answers_in_the_terminal_and_on_a_page() -> None:
    config = load(None, {})
    assert config.profile.provider == "local"
    assert config.providers["local"].kind == "local"
    assert list(config.adapters) == ["terminal", "http"]


def test_any_key_can_be_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEBOT_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("TUNEBOT_ACCESS__TOKENS_PER_DAY", "5")
    config = load(None, {})
    assert (config.log_level, config.access.tokens_per_day) == ("DEBUG", 5)


def test_secrets_of_other_programs_named_like_ours_do_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUNEBOT_API_KEYS", "one,two")
    assert load(None, {})


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ('databas = "x.db"', "databas:", "did you mean 'database'"),
        ("[defaults]\nprofil = 'x'", "defaults.profil:", "no such key"),
        ("[providers.p]\nbaseurl = ''", "providers.p.baseurl:", "did you mean 'base_url'"),
        ("[profiles.p]\nmodel = 'm'", "profiles.p.provider:", "required"),
        ("model_calls = 'many'", "model_calls:", "a whole number, not 'many'"),
        ("model_calls = 0", "model_calls:", "greater than or equal to 1"),
        ("log_level = 'LOUD'", "log_level:", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("[access]\nusers = '*'", "access.users:", "a list, not '*'"),
        ("providers = 3", "providers:", "a table, not 3"),
        ("[providers]\np = 3", "providers.p:", "a table, not 3"),
        (f"{SERVER}{ASSISTANT}params = 3", "profiles.assistant.params:", "not 3"),
        ("[defaults]\nprofile = 'x'\n" + SERVER + ASSISTANT, "defaults.profile:", "assistant"),
        (SERVER + ASSISTANT.replace('"p"', '"q"'), "profiles.assistant.provider:", "known: p"),
        (
            '[providers.openai]\n[profiles.a]\nprovider = "opnai"\nmodel = "m"\n'
            '[defaults]\nprofile = "a"',
            "profiles.a.provider:",
            "did you mean 'openai'?",
        ),
        ("[providers.p]\nbase_url = 'localhost:80'\n" + ASSISTANT, ".base_url:", "https://"),
        (SERVER + "idle_timeout = 0\n" + ASSISTANT, ".idle_timeout:", "above 0"),
        (SERVER + "slots = 0\n" + ASSISTANT, ".slots:", "above 0"),
        (SERVER + "slot_context = 3\n" + ASSISTANT, ".slot_context:", "256"),
        (SERVER, "profiles:", "add [profiles.assistant]"),
        (SERVER + ASSISTANT + "stop = ['1', '2', '3', '4', '5']", ".stop:", "at most 4"),
        (SERVER + ASSISTANT + "stop = ['']", ".stop:", "empty"),
        (SERVER + ASSISTANT + "history = 0", ".history:", "at least"),
        (SERVER + ASSISTANT + "context = -1", ".context:", "or 0"),
        (SERVER + ASSISTANT + "params = { stream = true }", ".params.stream:", "remove it"),
        (SERVER + ASSISTANT + "params = { stop = 'x' }", ".params.stop:", "assistant.stop"),
        (
            SERVER + ASSISTANT + "api = 'completions'\nsummarise = true",
            ".summarise:",
            "only a chat model",
        ),
        ("[providers.openai]\n" + ASSISTANT.replace('"p"', '"openai"'), "OPENAI_API_KEY", "export"),
        ("a = = 1", "tunebot.toml", "line 1"),
    ],
)
def test_a_wrong_configuration_is_one_line_with_the_key_and_the_remedy(
    tmp_path: Path, text: str, key: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(tmp_path, text)
    line = str(caught.value)
    assert key in line
    assert remedy in line
    assert "\n" not in line


def test_a_key_written_into_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(tmp_path, SERVER + ASSISTANT.join(['api_key_env = "sk-proj-123"\n', ""]))
    assert "sk-proj-123" not in str(caught.value)
    assert "OPENAI_API_KEY" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml: no such file"):
        load(tmp_path / "nothing.toml", {})


def test_openai_itself_is_asked_with_its_usual_key() -> None:
    provider = load(EXAMPLE, KEY).providers["openai"]
    assert secret(provider, KEY) == "sk-of-the-test"


def test_a_server_without_keys_needs_none(tmp_path: Path) -> None:
    config = load_text(tmp_path, SERVER + ASSISTANT)
    assert secret(config.providers["p"], {}) == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TUNEBOT_DEFAULTS", "foo", "defaults"),
        ("TUNEBOT_PROFILES", "{oops", "profiles"),
        ("TUNEBOT_ACCESS__USERS", "ann,bob", "TUNEBOT_ACCESS__USERS"),
        ("TUNEBOT_MODEL_CALLS", "many", "a whole number, not 'many'"),
    ],
)
def test_a_wrong_value_in_the_environment_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load(None, {})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
