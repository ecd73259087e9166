# Mask R-CNN of 1 M parameters for images of 128 pixels: smaller anchors, masks of 14 pixels, fewer
# proposals. LVIS's cap of 300 detections an image: what is rare scores low after so few steps, and
# a cap of 60 would leave nothing of it to be measured.
_base_ = "./mini_model.py"

proposals = dict(nms_pre=200, max_per_img=64)
model = dict(
    rpn_head=dict(anchor_generator=dict(scales=[3])),  # 24, 48 and 96 pixels
    roi_head=dict(
        bbox_head=dict(loss_cls=dict(_delete_=True, type="SigmoidBCELoss")),
        mask_roi_extractor=dict(roi_layer=dict(output_size=7)),
    ),
    train_cfg=dict(rpn_proposal=proposals, rcnn=dict(mask_size=14)),
    test_cfg=dict(rpn=proposals, rcnn=dict(score_thr=1e-5, pre_nms_topk=3000, max_per_img=300)),
)
