# Mask R-CNN R50 with the equalization loss and repeat factor sampling (t = 0.0005).
# Source: Tan et al., Equalization Loss (CVPR 2020); code and figures of eql.detectron2, v0.5 val,
# masks; "large variance across different runs". Gupta et al. sample with t = 0.001.
_base_ = "./r50_eql.py"

train_dataloader = dict(sampler=dict(repeat_threshold=5e-4))
published = dict(
    _delete_=True,
    ap=26.1,
    ap_r=17.2,
    ap_c=27.3,
    ap_f=28.2,
    box_ap=25.4,
    source="eql.detectron2, v0.5",
)
