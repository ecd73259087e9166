# COCO alone, in its own label space: crowds are ignore regions; short side 400 to 1400.
_base_ = "./challenge_data.py"

train_dataloader = dict(dataset=dict(sources=["coco"]))
