"""This service's own tables, apart from those of services that may live in the same process."""

from common import db
from sqlalchemy import MetaData


class Base(db.Base):
    """Shape: several services have a table `offerings`; each in its own database, all in one test process."""

    __abstract__ = True
    metadata = MetaData(naming_convention=db.Base.metadata.naming_convention)
