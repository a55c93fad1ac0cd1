"""Which methods of the services act for an account or on an identifier: found by looking, so that none is forgotten."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from multidb_chat import services

_ACTING = {"account", "actor"}
# They stand in the place of stores: services above them look who asks.
_STORES = {"JournaledConversations", "Leases"}


def guarded_methods() -> set[str]:
    """Return `Class.method` of each public async method with a parameter for an account or an identifier."""
    return {f"{found.__name__}.{name}" for found in _service_classes() for name in _guarded(found)}


def _service_classes() -> Iterator[type[Any]]:
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        for name, found in vars(importlib.import_module(module.name)).items():
            is_own = inspect.isclass(found) and found.__module__ == module.name
            is_service = not name.startswith("_") and name not in _STORES
            if is_own and is_service and not getattr(found, "_is_protocol", False):
                yield found


def _guarded(found: type[Any]) -> Iterator[str]:
    for name, method in vars(found).items():
        if name.startswith("_") or not (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)):
            continue
        parameters = inspect.signature(method).parameters
        if any(parameter in _ACTING or parameter.endswith("_id") for parameter in parameters):
            yield name
