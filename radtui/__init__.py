"""radtui: fine-tune a vision-language model on radiographs and review what it writes, in a terminal.

Two programs share one SQLite file. The app (`tui/`) draws and asks; a worker (`worker/`) is started
detached for one job, does it, and writes rows. Facts go one way, worker -> SQLite -> app; the only thing
that goes the other way is a job row and its `stop_requested` column. Neither imports the other.

    cli/          every command; without one, opens the app
    records.py    frozen dataclasses and enums that cross a boundary
    settings.py   what a job is asked to do: fields, ranges, units, of setting_fields.py; ask_settings.py: of an ask
                  job; presets.py: whole settings to begin with
    user_choices.py  what one user has chosen, in the config file; bell.py: how they hear that a job has ended
    paths.py      where the database, jobs/0007/ and images/ are
    durations.py  times and speeds in words; percent.py: shares; plural.py: numbers with their nouns;
                  estimates.py: what a run would take
    durable.py    what outlasts a power cut; harmless.py: text that a terminal takes for no order
    store/        every SQL statement of the project, one file per noun
    sources/      where images come from: folder, parquet, hub, DICOM, the demo's phantoms
    demo/         phantom radiographs, their captions, the small base model's recipe
    imaging/      pixels -> grey levels -> terminal cells (pure)
    charts/       metric points -> smoothed, bounded series -> cells (pure)
    cluster/      jobs on Slurm: their folders, event files and the collector, the batch script, what Slurm says
    jobs/         start, stop, reconcile, estimate; the only processes that outlive a call, and their flock
    worker/       python -m radtui.worker JOB: import, train, generate, on one GPU or several; torch and trl live here
    measures/     what numbers say: agreement, intervals, preference, strengths, errors, text and truth scores (pure)
    study/        a reader study in the database: scheme, order and blinding, session, undo, what can be learnt from it
    export/       comparisons -> CSV and other files; a whole file or none
    tui/          the app: data/, train/, review/ and jobs/ with their screens, widgets and styles, and what they share

Imports go downwards: cli -> tui -> export -> study -> (jobs | charts | sources) -> cluster -> imaging -> demo ->
measures -> store -> (settings | paths | durations | percent | plural | estimates) -> records; worker -> (export, study,
jobs, cluster, imaging, sources, store). The app never reaches torch, transformers, trl, peft, unsloth or datasets.
import-linter contracts and a fresh-interpreter test check it.
"""

__version__ = "0.2.0"
