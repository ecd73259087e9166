# Mask R-CNN R50 with the equalization loss v2, no repeats.
# Source: Tan et al., Equalization Loss v2 (CVPR 2021); figures of their eqlv2 repository, v1 val,
# masks, 12 epochs (75,000 steps of v1) from torchvision's weights. Here: the schedule and weights
# of the R50 set, so that its rows compare with one another.
_base_ = "./r50_bce.py"

model = dict(
    roi_head=dict(
        bbox_head=dict(
            loss_cls=dict(
                _delete_=True,
                type="SigmoidEQLv2Loss",
                num_classes="<num_classes>",
                gamma=12,
                mu=0.8,
                alpha=4.0,
                loss_weight=1.0,
            )
        )
    )
)
published = dict(
    _delete_=True,
    ap=23.7,
    ap_r=14.9,
    ap_c=22.8,
    ap_f=28.6,
    box_ap=24.2,
    source="eqlv2, v1, 12 epochs",
)
