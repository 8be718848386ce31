"""The worker: one process per job, `python -m radtui.worker --data-dir DIR JOB_ID`.

    __main__.py          begins the job, runs its kind, ends it with a state and, when it failed, one sentence
    environment.py       what must be set before torch, TRL or unsloth are imported
    launcher.py          a job on several GPUs: one process each, under torch's launcher
    rank_process.py      what such a process does; ranks.py is what they agree on, shares.py who learns which image
    failures.py          any exception -> the sentence a user reads
    reporter.py          progress, points, events and results into the store; stop requests out of it
    ingest.py            a source's images into the store; tally.py counts them and says so
    hold_out.py          which of them are held out; known_images.py is what a repeated import must not lose
    downloads.py         fetching from the hub with progress, and ears for a stop

    backend.py           what this machine runs a model with, and what of a job's settings it does otherwise
    model.py             model and processor for either backend; pretrained.py reads them with transformers
    adapters.py          LoRA on a model, fresh or trained; lora.py picks the layers it goes on
    data.py              images and references, read lazily; prompt.py makes the messages about them
    collator.py          messages and images -> a batch with labels

    train.py             a training job from settings to adapter; fit.py is its loop
    material.py          which images it learns from and is evaluated on; task.py is a job's parts once all is loaded
    arguments.py         the settings as the trainer takes them
    trainer.py           TRL's trainers with an eye on loss and disk; callback.py writes their steps
    pairs.py             rated pairs, frozen in the job's folder, to batches; dpo.py is TRL's DPOTrainer on them
    checkpoints.py       where a job goes on
    watch.py             a few held-out images described again and again while training
    fitting.py           how much fits the GPU, by probes; main_memory.py for a machine without; memory.py counts
    estimate.py          what a run would take, asked before it starts; footprint.py adds up its parts,
                         meta_pass.py runs a pass of empty tensors, gpu_memory.py tells what is free
    vision_attention.py  Llama 3.2's vision attention, exactly but without its mask
    gpu_facts.py         what the GPUs do meanwhile

    generate.py          a generation job: every image by the base model and by the tuned one
    describe.py          a batch of images -> texts, greedy or sampled; decode.py writes them faster on a GPU,
                         mllama_step.py is one token of it
    base_weights.py      which weights of the base model to describe with; fast_lora.py adds the adapter's share
    base_files.py        whether the base model's files are still those an adapter was trained on
    merge.py             the base with an adapter merged in, 16 bits, for `radtui adapter export --merged`

torch, transformers, TRL, PEFT and unsloth are imported inside functions, or in modules that are imported so:
unsloth has to come first, and a job that needs none of them should not wait for them.
"""
