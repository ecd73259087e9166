# Twice the steps of schedule_90k: learning rate 0.02 to 120,000, steps there and at 160,000.
_base_ = "./schedule_90k.py"

train_cfg = dict(max_iters=180_000, val_interval=30_000)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=1_000),
    dict(
        type="MultiStepLR",
        by_epoch=False,
        begin=0,
        end=180_000,
        milestones=[120_000, 160_000],
        gamma=0.1,
    ),
]
