"""The place Review: blind pairs, answers, and what they come to.

screen.py           the pair on show, drawn by pair_body.py, answer_panel.py, review_line.py
reviewing.py        a rater at it, whom screen and keys both hold; following.py keeps it up to date; nothing.py: why
                    there is no pair; answer_queue.py: answers on their way into the database
keys.py             what keys are called; acts.py: what each does, in panels.py, seeing.py, going.py, correcting.py,
                    choosing.py
rater_line.py       who rates; rater_lock.py: whether somebody else does under the same name
stint.py            so many pairs now; stints.py: its keys
reading_screen.py   one arm's texts; reading_desk.py: what keys do to them
film_width.py       how wide the film stands beside a study's texts
dialogs.py          sheets: correct_sheet.py, note.py, new_study.py beside them
summary.py          what it comes to: summary_text.py, score_text.py, round_text.py
"""
