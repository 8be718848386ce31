"""Jobs on a Slurm cluster: handed over, looked after and brought home; no scheduler of its own.

    profile.py     what the config file says of a cluster
    script.py      the batch script of a job
    packing.py     the job's folder on the shared file system, which holds all that its machines need
    run_folder.py  where things lie in it
    journal.py     event files: one for each process that says something
    reading.py     the one order in which their entries count
    collect.py     entries into the database, each once
    slurm.py       asking Slurm and telling it
    submit.py      handing a job over, and stopping it
    watching.py    what Slurm says of a job, on its row
    asking.py      one question to Slurm at a time, beside whoever draws meanwhile
    silence.py     what is said of jobs while it does not answer
    fetched.py     whether a machine without a network finds the model that a job names

No torch: the app and the command line import it, and so does the worker.
"""
