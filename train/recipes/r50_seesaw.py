# Mask R-CNN R50 with the Seesaw loss and a normalised class layer, no repeats.
# Source: Wang et al., Seesaw Loss (CVPR 2021); figures of mmdet's model zoo, v1 val,
# `random-ms-2x`: 24 epochs (150,000 steps of v1) from torchvision's weights. Here: the schedule and
# weights of the R50 set, so that its rows compare with one another. The only head without sigmoids.
_base_ = "./r50_bce.py"

model = dict(
    roi_head=dict(
        bbox_head=dict(
            cls_predictor_cfg=dict(type="NormedLinear", temperature=20),
            loss_cls=dict(
                _delete_=True,
                type="SeesawLoss",
                p=0.8,
                q=2.0,
                num_classes="<num_classes>",
                loss_weight=1.0,
            ),
        )
    )
)
published = dict(_delete_=True, ap=25.0, box_ap=25.6, source="mmdet, v1, 24 epochs")
