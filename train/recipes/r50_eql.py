# Mask R-CNN R50 with the equalization loss.
# Source: Tan et al., Equalization Loss (CVPR 2020); code and figures of eql.detectron2, v0.5 val,
# masks (paper: 22.8). Lambda is the published one of the manifest's LVIS version.
_base_ = "./r50_bce.py"

model = dict(
    roi_head=dict(
        bbox_head=dict(
            loss_cls=dict(
                _delete_=True,
                type="EqualizationLoss",
                manifest="<manifest>",
                lambda_=None,
                counts="lvis",
                num_classes="<num_classes>",
                loss_weight=1.0,
            )
        )
    )
)
published = dict(
    _delete_=True,
    ap=24.0,
    ap_r=9.4,
    ap_c=25.2,
    ap_f=28.4,
    box_ap=23.6,
    source="eql.detectron2, v0.5",
)
