"""A reader study in the database: its scheme, who sees what in which order, answers, and what can be learnt of them."""
