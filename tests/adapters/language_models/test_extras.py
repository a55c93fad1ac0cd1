"""What is told where the library that a language model needs is not installed."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from multidb_chat.adapters.language_models import extras
from multidb_chat.adapters.language_models.gguf import GgufModel
from multidb_chat.adapters.language_models.remote import Provider, RemoteModel
from multidb_chat.domain.errors import InvalidSetting


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in missing else find_spec("json"))


@pytest.mark.parametrize(
    ("provider", "library", "package"),
    [
        ("openai", "openai", "pydantic-ai-slim[openai]"),
        ("anthropic", "anthropic", "pydantic-ai-slim[anthropic]"),
        ("gemini", "google.genai", "pydantic-ai-slim[google]"),
    ],
)
def test_a_provider_whose_library_is_missing_tells_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, provider: Provider, library: str, package: str
) -> None:
    for missing in ("pydantic_ai", library):
        without(monkeypatch, missing)
        with pytest.raises(InvalidSetting) as refused:
            RemoteModel(provider, "m")
        told = f"{missing} is not installed, which this model needs: {sys.executable} -m pip install '{package}'"
        assert str(refused.value) == told


def test_the_part_of_a_package_that_is_not_there_is_missing() -> None:
    with pytest.raises(InvalidSetting, match=r"nowhere\.at_all is not installed"):
        extras.require("something", "nowhere.at_all")


def test_a_file_without_its_library_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without(monkeypatch, "xllamacpp")
    with pytest.raises(InvalidSetting, match="-m pip install 'xllamacpp'"):
        GgufModel(tmp_path / "model.gguf")
