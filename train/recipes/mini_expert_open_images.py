# Road map on a CPU: the expert on Open Images, where objects have boxes only.
# Manifest: label space open_images. The mask head is there, because the weights that it starts from
# have one, and learns nothing.
_base_ = "./mini_bce.py"

label_space = "open_images"
train_dataloader = dict(dataset=dict(sources=["open_images"], ignore_reasons=None))
val_evaluator = dict(metric=("bbox",))
