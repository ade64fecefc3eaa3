"""Valid small inputs, changed at random: what is refused is refused in a sentence, and nothing is left."""
