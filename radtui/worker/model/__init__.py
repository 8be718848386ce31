"""The model: found, loaded, adapted, asked; what of it is faster than its family's own code.

model.py            loading; backend.py: what this machine can do; pretrained.py: from files of downloads.py;
                    at_hand.py: whether they are here; base_files.py: whether still the same; base_weights.py: in
                    how many bits; refusals.py: what it can't be; weight_names.py: whether its files hold it;
                    kinds.py: which class it is, and whether that can be trained
adapters.py         LoRA on it, on the layers of lora.py; adapter_keys.py: saved for PEFT; merge.py: merged in
processors.py       its processor; resolution.py: tokens of an image; counting.py: of every case
examples.py         cases and references, one by one; prompt.py: what is asked of them, template.py: as the model's
                    template renders that, turns.py: in the form it takes, collator.py: as a batch
vision_layer.py     Mllama, quicker: vision_attention.py by attention_kernels.py or flash4.py, as
                    attention_choice.py says, early_mask.py; text_layer.py with text_norm.py; both by
                    lora_products.py, which lora_adding.py ends, on a GPU by lora_kernels.py; while describing
                    vision_describing.py, mllama_step.py, fast_lora.py
"""
