# Road map on a CPU: as mini_coco_all with Open Images; repeated by the frequencies on LVIS.
_base_ = "./mini_coco_all.py"

train_dataloader = dict(sampler=dict(rfs_counts="lvis"), dataset=dict(sources=None))
