# Road map on a CPU: EQL, repeat factors, and all COCO boxes as ignore regions, as the paper has it.
_base_ = "./mini_eql_rfs.py"

train_dataloader = dict(dataset=dict(ignore_reasons=None, coco_boxes="all"))
