# Mask R-CNN of 1 M parameters for images of 128 pixels: smaller anchors, masks of 14 pixels.
_base_ = "./mini_model.py"

model = dict(
    rpn_head=dict(anchor_generator=dict(scales=[3])),  # 24, 48 and 96 pixels
    roi_head=dict(
        bbox_head=dict(loss_cls=dict(_delete_=True, type="SigmoidBCELoss")),
        mask_roi_extractor=dict(roi_layer=dict(output_size=7)),
    ),
    train_cfg=dict(rcnn=dict(mask_size=14)),
)
