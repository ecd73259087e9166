# Expert for the categories shared with COCO, at the size of `mini`: two minutes of a CPU core.
# No one has published figures for it. Manifest: label space coco.
_base_ = "./mini.py"

label_space = "coco"
train_cfg = dict(max_iters=400)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=50, end=400, T_max=350, eta_min=0.0003),
]
# COCO is exhaustively annotated and has no tail
model = dict(
    roi_head=dict(bbox_head=dict(loss_cls=dict(_delete_=True, type="SigmoidBCELoss"))),
)
