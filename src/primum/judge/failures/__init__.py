"""Why an answer was wrong: evidence for each kind of failure, and a name where the evidence is clear."""
