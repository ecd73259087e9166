# 90,000 optimizer steps of 16 images at learning rate 0.02, a tenth of it from 60,000, a hundredth
# from 80,000: detectron2's `1x`, which the equalization loss's authors used. All counts are
# optimizer steps; with accumulate=k each is k batches. With another total_batch, scale the learning
# rate too.
_base_ = "./runtime.py"

total_batch = 16
train_cfg = dict(max_iters=90_000, val_interval=15_000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=1_000),
    dict(
        type="MultiStepLR",
        by_epoch=False,
        begin=0,
        end=90_000,
        milestones=[60_000, 80_000],
        gamma=0.1,
    ),
]
