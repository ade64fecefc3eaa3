"""What an audit says beyond its metrics: one file a section, named as the report's."""
