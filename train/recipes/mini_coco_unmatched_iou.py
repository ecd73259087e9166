# Road map on a CPU: as mini_coco_iou, with only the COCO boxes that match no LVIS object.
_base_ = "./mini_coco_iou.py"

train_dataloader = dict(dataset=dict(coco_boxes="unmatched"))
