# 200 steps of 16 images, after 800 of `mini_pretrain`.
_base_ = "./mini_schedule.py"

total_batch = 16
testing = dict(pre_nms_topk=3000)  # of 6,144 (box, category) candidates an image
train_cfg = dict(max_iters=200, val_interval=200)
optim_wrapper = dict(optimizer=dict(lr=0.04))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=30, end=200, T_max=170, eta_min=0.0004),
]
