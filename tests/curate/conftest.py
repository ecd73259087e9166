from tests.cli.command import run
from tests.inspect.conftest import drawn, loaded, manifest, options, own_database, roots

__all__ = ["drawn", "loaded", "manifest", "options", "own_database", "roots", "run"]
