"""How much memory a job will take, and how much there is on every GPU. Knows the model, which knows nothing of it.

gpu_memory.py       what there is; gpu_facts.py: while a job runs
estimate.py         what a run would take, asked by the app: footprint.py by a meta_pass.py; hours.py: how long,
                    by arithmetic.py; model_check.py: what a model needs, likewise
fitting.py          which micro-batch fits; forecast.py tells while the model loads, main_memory.py tries on a CPU,
                    shares.py deals images to passes, remembered.py keeps what fitted; shapes.py: of several shapes
"""
