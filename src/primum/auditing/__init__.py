"""One table judged from its rows to its audit."""
