"""The catalogue as HSDS 3.0, the open data standard of service directories. Pure: no files, no network, no clock."""

from hsds.catalogue import Reader, read_catalogue, write_catalogue
from hsds.findings import About, Dirt, Given
from hsds.reading import Defaults

__all__ = ["About", "Defaults", "Dirt", "Given", "Reader", "read_catalogue", "write_catalogue"]
