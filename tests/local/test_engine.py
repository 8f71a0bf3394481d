"""What trains: which process, on what, and what is said where it cannot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bot.config import load
from bot.errors import ConfigError
from bot.local import engine
from bot.local.engine import ENGINES, Engine
from bot.messages import Provider


def provider(**fields: Any) -> Provider:
    return Provider("home", kind="local", **fields)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in "config.json", "model-00001-of-00001.safetensors":
        (folder / name).write_text("{}")
    return folder


def test_numpy_trains_on_the_file_that_is_served() -> None:
    found = ENGINES["numpy"](provider(), Path("/models/a.gguf"))
    assert found.command == (sys.executable, "-P", "-m", "bot.local.training")
    assert found.base == Path("/models/a.gguf")


def test_trl_trains_on_a_folder_for_what_serves_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "NEEDED", {"bot": "tunebot"})
    trl, asked = ENGINES["trl"], provider(engine="trl", model_folder=str(folder))
    beside = trl(asked, Path("/models/a.gguf"))
    assert beside.command[-2:] == ("--beside", "/models/a.gguf")
    assert beside.base == folder
    assert trl(asked, None).command == (sys.executable, "-P", "-m", "bot.local.trl")


def test_what_was_made_by_another_configuration_is_trained_where_that_is_known(
    folder: Path, tmp_path: Path
) -> None:
    served = Path("/models/a.gguf")
    numpy = ENGINES["numpy"](provider(), served)
    here = Engine(("python", "-m", "bot.local.trl"), folder)
    assert numpy.command_for(served) == here.command_for(served) == numpy.command
    assert numpy.command_for(folder) is None
    assert here.command_for(folder) == here.command
    assert here.command_for(tmp_path) is None


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("", "model_folder: {folder}/none is not a folder"),
        ("config.json", "model_folder: {folder} has no config.json"),
        ("*.safetensors", "model_folder: {folder} has no *.safetensors"),
    ],
)
def test_folder_that_holds_no_model_is_a_fault_of_the_configuration(
    missing: str, said: str, folder: Path
) -> None:
    named = folder if missing else folder / "none"
    for file in folder.glob(missing or "*"):
        file.unlink()
    with pytest.raises(ConfigError) as refused:
        ENGINES["trl"](provider(engine="trl", model_folder=str(named)), None)
    assert str(refused.value).startswith(f"providers.home.{said.format(folder=folder)}")


def test_interpreter_without_the_packages_says_which_and_how_they_come(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = {"bot": "tunebot", "nobody_has_this": "torch", "nor_this": "tunebot"}
    monkeypatch.setattr(engine, "NEEDED", needed)
    with pytest.raises(ConfigError) as refused:
        ENGINES["trl"](provider(engine="trl", model_folder=str(folder)), None)
    assert str(refused.value) == (
        f"providers.home.engine: {sys.executable} has no torch, tunebot; install the extra "
        f"with pip install 'tunebot[local-gpu]' there, or set engine to \"numpy\"."
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "is no program"),
        ("#!/bin/sh\nexit 3\n", "is no Python that runs"),
        ("#!/bin/sh\nexit 0\n", "is no Python that runs"),
        ('#!/bin/sh\necho "$@"\n', "is no Python that runs"),
        ("#!/no/such/program\n", "is no Python that runs"),
    ],
)
def test_python_that_is_none_is_a_fault_of_the_configuration(
    script: str | None, said: str, folder: Path, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    if script:
        python.write_text(script)
        python.chmod(0o755)
    asked = provider(engine="trl", model_folder=str(folder), python=str(python))
    with pytest.raises(ConfigError, match=said) as refused:
        ENGINES["trl"](asked, None)
    assert str(refused.value).startswith(f"providers.home.python: {python} ")


def test_python_that_greets_first_is_one(folder: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho Welcome to torch\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    with pytest.raises(ConfigError, match=r"has no .*torch.*; install the extra"):
        ENGINES["trl"](provider(engine="trl", model_folder=str(folder), python=str(python)), None)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('engine = "jax"', "engine: input should be 'numpy' or 'trl'"),
        ('model_folder = "/m"', 'model_folder: only engine = "trl" uses it'),
        ('python = "python3"', 'python: only engine = "trl" uses it'),
        ('vllm_url = "http://v"', 'vllm_url: only engine = "trl" uses it'),
        ('engine = "trl"', 'model_folder: engine = "trl" trains on a Hugging Face folder'),
        ('engine = "trl"\nmodel_folder = "/m"', "model_file: name the GGUF file"),
        (
            'engine = "trl"\nmodel_folder = "/m"\nmodel_file = "/f"\nvllm_url = "http://v"',
            "vllm_url: llama.cpp serves model_file, or vLLM model_folder; remove one",
        ),
        (
            'engine = "trl"\nmodel_folder = "/m"\nvllm_url = "here"',
            "vllm_url: 'here' is no address",
        ),
        (
            'engine = "trl"\nmodel_folder = "/m"\nvllm_url = "http://[v/v1"',
            "vllm_url: 'http://[v/v1' is no address",
        ),
        (
            'engine = "trl"\nmodel_folder = "/m"\nvllm_url = "http://v:v1"',
            "vllm_url: 'http://v:v1' is no address",
        ),
        (
            'engine = "trl"\nmodel_folder = "/"\nvllm_url = "http://v"',
            "model_folder: '/' has no name",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_said(keys: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "tunebot.toml"
    file.write_text(f'[providers.home]\nkind = "local"\n{keys}\n')
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    assert f"{file}: providers.home.{said}" in str(refused.value)


def test_only_a_local_provider_trains_here(tmp_path: Path) -> None:
    file = tmp_path / "tunebot.toml"
    file.write_text(
        '[providers.far]\nkind = "legacy"\nengine = "trl"\nmodel_folder = "/m"\n'
        '[profiles.assistant]\nprovider = "far"\nmodel = "any"\n'
    )
    with pytest.raises(ConfigError, match=r'engine: only kind = "local" trains here'):
        load(file, {})


@pytest.mark.parametrize("folder", ["/m/Qwen2.5-0.5B/", ".", "../Qwen2.5-0.5B"])
def test_model_of_a_vllm_bears_the_name_of_its_folder(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Qwen2.5-0.5B").mkdir()
    monkeypatch.chdir(tmp_path / "Qwen2.5-0.5B")
    file = tmp_path / "tunebot.toml"
    file.write_text(
        f'[providers.home]\nkind = "local"\nengine = "trl"\nmodel_folder = "{folder}"\n'
        f'vllm_url = "http://127.0.0.1:8000/v1"\n'
    )
    assert load(file, {}).profile.model == "Qwen2.5-0.5B"


def test_folder_of_somebody_who_is_not_known_is_none() -> None:
    with pytest.raises(ConfigError, match=r"model_folder: .*~nobody-here/m is not a folder"):
        ENGINES["trl"](provider(engine="trl", model_folder="~nobody-here/m"), None)
