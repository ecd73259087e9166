# Road map on a CPU: the equalization loss with repeat factor sampling.
_base_ = "./mini_eql.py"

train_dataloader = dict(sampler=dict(repeat_threshold=0.03))
