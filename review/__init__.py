"""Review: what a person sees of the night's work, what they say of it, and what is learnt from that."""
