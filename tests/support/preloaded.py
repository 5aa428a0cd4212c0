"""What is done once for all forks: the imports of commands and mirrors, and the pages of the API."""

from api.app import pages
from daemon import cli, supervisor
from tests.support.mirror import process

pages()
__all__ = ["cli", "process", "supervisor"]
