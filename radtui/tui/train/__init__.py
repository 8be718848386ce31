"""The place Train: a run's settings, its memory, its curves and what it writes meanwhile.

screen.py           the form, or a job
form.py             settings: choices.py to take, plan.py and correction_plan.py say what they will do,
                    memory_panel.py what they take, model_facts.py what a model needs
job_pane.py         a job: watch_timeline.py shows its texts, kept by watched.py
"""
