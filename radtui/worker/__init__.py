"""The worker: one process per job, `python -m radtui.worker --data-dir DIR JOB_ID`.

    __main__.py   begins the job, runs its kind, ends it with a state and, when it failed, one sentence
    launcher.py   the same job on several GPUs, each with a rank_process.py
    process/      what must be set before torch is imported, ranks under torch's launcher, reports and stops, failures
    importing/    a source's cases into the store: counted, held out, never twice
    model/        the model found, fetched, loaded and adapted; what it is asked (examples, prompt, collator) and how it
                  is made faster (vision attention, one token of Mllama, merged LoRA)
    memory/       what a run would take, what fits, and what there is
    training/     a training job from its examples to its checkpoints; learning from pairs; watched texts
    describing/   a generation job: missing texts, batch by batch
    asking/       questions about single images; scoring/: scores by a package of its own

torch, transformers, TRL, PEFT and unsloth are imported inside functions, or in modules that are imported so:
unsloth has to come first, and a job that needs none of them should not wait for them.
"""
