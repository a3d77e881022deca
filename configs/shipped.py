"""Files that come with cleartitle and are named in a config by `shipped:` and their path under `configs/`.

>>> SHIPPED
('blocklists/shadow_libraries.txt', 'markers/converter_stamps.txt', 'markers/pirated_texts.txt', \
'publishers/textbooks.txt')
>>> shipped_path("/data/mine.txt")
'/data/mine.txt'
"""

from pathlib import Path
from typing import Final

PREFIX: Final = "shipped:"
_FOLDER: Final = Path(__file__).parent
SHIPPED: Final = tuple(sorted(path.relative_to(_FOLDER).as_posix() for path in _FOLDER.glob("*/*.txt")))
"""What may follow `shipped:`."""


def shipped_path(path: str) -> str:
    """Where a path of the config lies: of `shipped:NAME` the file on the local disk, of any other the path itself."""
    return str(_FOLDER / path.removeprefix(PREFIX)) if path.startswith(PREFIX) else path


def check_shipped(path: str) -> str:
    """The path, if it names a file that is shipped. ValueError otherwise."""
    if path.removeprefix(PREFIX) not in SHIPPED:
        shipped = ", ".join(f"`{PREFIX}{name}`" for name in SHIPPED)
        raise ValueError(f"`{path}` does not come with cleartitle; what does: {shipped}")
    return path
