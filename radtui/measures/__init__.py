"""What numbers say: agreement, intervals, preference, strengths, errors, text and truth scores. Pure: no database.

scheme.py           what a rater is asked, on which scale; answers.py: answers to one question, and their figures
statistics.py       one summary of all ratings: preference.py, quality.py, agreement.py, bias.py, pace.py
arms.py             any number of arms, on one scale by bradley_terry.py
intervals.py        numbers with n and interval; readers.py: over readers and cases; significance.py: exact tests
planning.py         how many cases and readers a study needs
score_table.py      every score described once; scores.py: what the arms' texts are worth by them
mean_scores.py      scores that are a mean over texts; text_scores.py: against references, with bleu.py, chrf.py,
                    rouge.py, ngrams.py; truth_scores.py: against known truth; package_scores.py: with weights
paired.py           two arms on the same cases; change.py: a round against the one before; trainings.py: over
                    several trainings; concordance.py: which score agrees with readers
extraction.py       what a text says: lexicon.py has the words, negation.py the denials, language.py whether English
text.py             a model's text as a rater may see it; word_changes.py: two versions word by word
readings.py         what reading and correcting came to
words.py            figures in words; loss_words.py: what a loss is taken over; plain.py: figures as JSON
"""
