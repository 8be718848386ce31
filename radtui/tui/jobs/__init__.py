"""The place Jobs: every run, its log, and several of them together.

screen.py           all jobs: job_lines.py has the rows, run_columns.py the columns, job_words.py what a state means
job_screen.py       what can be done with a job on any screen; submitting.py: in a thread; care.py: a name, a note
                    (line_sheet.py), out of sight, gone
describe.py         the form of a generation job
log.py              a log over the whole screen; log_tail.py: its end
overlay.py          jobs over each other; job_differences.py: in what they differ
"""
