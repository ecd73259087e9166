# Road map on a CPU: all three sources, with every choice that measured best one at a time.
# COCO boxes that match no LVIS object, ignored by IoU; tail by the images of the merge; repeats by
# LVIS's own; what is not annotated on Open Images counts as absent.
_base_ = "./mini_coco_unmatched_iou.py"

train_dataloader = dict(sampler=dict(rfs_counts="lvis"), dataset=dict(sources=None))
model = dict(
    roi_head=dict(verified_sources=(), bbox_head=dict(loss_cls=dict(counts="merged"))),
)
