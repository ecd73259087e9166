# Road map on a CPU: sigmoid cross-entropy with repeat factor sampling.
# LVIS's threshold, 0.001, is below the rarest category of so small a world.
_base_ = "./mini_bce.py"

train_dataloader = dict(sampler=dict(repeat_threshold=0.03))
