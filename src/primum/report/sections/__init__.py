"""One file per question a section of the report answers."""
