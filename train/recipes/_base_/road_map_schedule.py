# 300 steps of 16 images, after 800 of `mini_pretrain`.
_base_ = "./runtime.py"

total_batch = 16
train_cfg = dict(max_iters=300, val_interval=300)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.04, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=30, end=300, T_max=270, eta_min=0.0004),
]
default_hooks = dict(
    logger=dict(interval=20),
    checkpoint=dict(interval=100),
)
