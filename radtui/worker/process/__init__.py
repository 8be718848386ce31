"""The worker as a process: its start, its ranks, how it reports and how it fails.

workplace.py        where it finds its job; environment.py: what is set before torch, threads.py: on how many
libraries.py        what models are loaded with; memory.py: what there is, and what was taken
reporter.py         what it says, into the database; journal_reporter.py: into a file, on a cluster
failures.py         any exception in one sentence; ending.py: what the user wants done at the end
stopping.py         what SIGTERM and SIGINT do
torch_launcher.py   several GPUs: a process for each; ranks.py: what they agree on
nodes.py            several machines: srun starts node.py on each; under_slurm.py: a worker that Slurm started
gpu_lock.py         one GPU, one job; energy.py: what it takes
"""
