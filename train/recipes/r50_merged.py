# Mask R-CNN R50 on all three sources, with the choices that the road map on a CPU measured best.
# Of COCO's boxes those of objects that LVIS lacks, ignored by IoU; tail by the images of the merge;
# repeats by LVIS's own; what is not annotated on Open Images counts as absent
# (benchmarks/road-map.md). Schedule and weights are r50_eql_rfs's. No one has published figures.
_base_ = "./r50_eql_rfs.py"

train_dataloader = dict(
    sampler=dict(rfs_counts="lvis"),
    dataset=dict(sources=None, ignore_reasons=None, coco_boxes="unmatched"),
)
by_iou = dict(assigner=dict(ignore_metric="iou"))
model = dict(
    roi_head=dict(bbox_head=dict(loss_cls=dict(counts="merged"))),
    train_cfg=dict(rpn=by_iou, rcnn=by_iou),
)
published = None
