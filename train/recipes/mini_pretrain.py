# First stage of the mini road map: COCO's classes of the road-map world, 800 steps.
# Manifest: label space coco. The other mini_* recipes of the road map start from it.
_base_ = [
    "./_base_/road_map_model.py", "./_base_/road_map_data.py", "./_base_/road_map_schedule.py",
]  # fmt: skip

device = "any"
label_space = "coco"
train_cfg = dict(max_iters=800, val_interval=800)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=50, end=800, T_max=750, eta_min=0.0004),
]
train_dataloader = dict(dataset=dict(sources=["coco"], ignore_reasons=None))
