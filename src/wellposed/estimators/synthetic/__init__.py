"""Quality of tables that a model draws."""

from .quality import TableQuality, table_quality

__all__ = ["TableQuality", "table_quality"]
