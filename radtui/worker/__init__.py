"""The worker: one process per job, `python -m radtui.worker --data-dir DIR JOB_ID`.

    __main__.py     begins the job, runs its kind, ends it with a state and, when it failed, one sentence
    environment.py  switches that must be set before torch, TRL or unsloth are imported
    failures.py     any exception -> the sentence a user reads
    reporter.py     progress, points, events and results into the store; stop requests out of it
    model.py        model and processor for either backend; lora.py picks the layers LoRA goes on
    data.py         images and references, read lazily; prompt.py makes the messages of both
    collator.py     messages and images -> a batch with labels
    train.py        the run: TRL's SFTTrainer; trainer.py and callback.py watch it from inside
    checkpoints.py  which checkpoint a job resumes from
    watch.py        a few held-out images described again and again while training
    describe.py     a batch of images -> texts, greedy or sampled
    generate.py     the same images by the base model and by the tuned one
    ingest.py       a source's images into the store

torch, transformers, TRL, PEFT and unsloth are imported inside functions of this room and nowhere else.
"""
