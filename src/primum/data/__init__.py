"""Images: where they come from, how they are read, split, checked and corrupted."""
