"""A reader study in the database: its scheme, who sees what in which order, answers, and what can be learnt of them.

making.py           a study by hand: drawing.py says which two arms of a case, arm_files.py reads texts from
                    elsewhere, corrected_arm.py takes corrected ones; locking.py fixes its protocol
scheme_file.py      what a rater is asked, from TOML; schemes.py: which ratings one export can hold
study.py            what a study holds, read once; overview.py: in plain words; giveaways.py: what betrays an arm;
                    pilot.py: how preferences vary; standing_in.py: which score may stand in for its readers
blinding.py         which text stands left, in which order pairs come; alike.py: ties that nobody is asked about
session.py          one rater's work: queue.py has what comes next, shown.py a pair as it is seen, edits.py and
                    correcting.py what a key changes, undo.py and undo_words.py what is taken back, seen.py what
                    un-blinds, active_time.py the time at work, steps_back.py what a failed commit takes back
answer_writer.py    answers into the database, or into unsaved.py while the data folder is gone;
                        delivery.py: out of there, kept_lines.py: its file,
                        kept_files.py: those of a folder that was renamed
packed.py           a study that came in a pack
reading.py          one arm's texts one after the other; figures.py: what that came to
kept_back.py        what a reader must not meet elsewhere; known_texts.py: what they know already
preferences.py      which rated pairs teach, and rated_pairs.py the job that learns them
corrections.py      which corrected texts teach, and learn_corrections.py the job that learns them
going_on.py         from which training job, with which of its settings
rounds.py           did it get better? round_lines.py and round_words.py: round by round, in lines and characters
"""
