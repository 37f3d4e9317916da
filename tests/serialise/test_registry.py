"""Every class that a model can hold is in the closed list of files, under its own name."""

import dataclasses
import importlib
import inspect

import pytest

from wellposed.serialise._registry import CLASSES, WIRE_NAMES

ROOMS = ("latents", "models", "nn", "noise", "objectives", "tables", "transforms")


def exported(room):
    package = importlib.import_module(f"wellposed.{room}")
    return {
        name: value
        for name, value in vars(package).items()
        if isinstance(value, type)
        and dataclasses.is_dataclass(value)
        and not inspect.isabstract(value)
        and not name.startswith("Abstract")
    }


@pytest.mark.parametrize("room", ROOMS)
def test_every_exported_class_has_a_wire_name(room):
    found = exported(room)
    assert found  # or the test would hold of nothing
    missing = [name for name, cls in found.items() if cls not in WIRE_NAMES]
    assert missing == []


def test_no_class_has_two_wire_names():
    assert len(WIRE_NAMES) == len(CLASSES)


def test_a_wire_name_names_a_room():
    assert {name.partition(".")[0] for name in CLASSES} == set(ROOMS)
