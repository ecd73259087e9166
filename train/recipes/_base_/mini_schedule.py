# 800 steps of 4 images: five minutes of one CPU core. Of as many images, small batches learn more.
_base_ = "./runtime.py"

total_batch = 4
train_cfg = dict(max_iters=800, val_interval=400)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.03, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=50, end=800, T_max=750, eta_min=0.0003),
]
default_hooks = dict(
    logger=dict(interval=20),
    checkpoint=dict(interval=100),
)
