"""What each verb shows on a terminal."""
