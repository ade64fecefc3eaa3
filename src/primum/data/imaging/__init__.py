"""Image files of any kind as pictures of 8 bits: read by data sets, and by the report that shows them."""
