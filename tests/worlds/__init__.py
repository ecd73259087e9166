"""Small generated inputs that are dense with the rules of `lvis-merge build`."""

from tests.worlds.generate import make_world
from tests.worlds.world import Options, World

__all__ = ["Options", "World", "make_world"]
