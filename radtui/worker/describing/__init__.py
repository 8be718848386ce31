"""The generation job: which texts are missing, and writing them.

generate.py         the job: the arms of arms.py with what loading.py loads; preparing.py: their inputs, meanwhile;
                    figures.py: its result
describe.py         a batch of cases to texts, the one way a model is asked; own_decoder.py: Mllama, quicker
"""
