"""The PMS's own tables: the only place that knows rht-hotel's names and meanings."""
