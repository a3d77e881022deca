"""Take work out of a published dataset: a new version, with a certificate of what went."""

from lineage.takedowns.take_out import takedown

__all__ = ["takedown"]
