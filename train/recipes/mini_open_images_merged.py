# Road map on a CPU: as mini_open_images, repeated by the frequencies of the merge.
_base_ = "./mini_open_images.py"

train_dataloader = dict(sampler=dict(rfs_counts="merged"))
