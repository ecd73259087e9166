# Road map on a CPU: as mini_coco_all, with proposals ignored by their IoU with a region, not IoF.
_base_ = "./mini_coco_all.py"

model = dict(
    train_cfg=dict(
        rpn=dict(assigner=dict(ignore_metric="iou")), rcnn=dict(assigner=dict(ignore_metric="iou"))
    )
)
