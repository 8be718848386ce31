"""The training job, from its examples to its checkpoints.

train.py            the job: training_data.py it learns from, task.py it is made of, seeds.py: several times
loop.py             the loop itself: arguments.py of trainer.py, begun again smaller; first_steps.py; callback.py tells
pairs.py            rated pairs, learnt by dpo.py; corrected.py: corrected texts
lengths.py          which answers would be cut; harm.py: pairs that do harm
upkeep.py           what the Trainer goes through all layers for at every pass, once
watch.py            held-out cases described meanwhile; best.py: the best evaluation kept
checkpoints.py      where a job goes on
"""
