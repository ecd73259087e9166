# Mask R-CNN with SENet-154, deformable convolution (v1) in stages c3 to c5, SyncBN that trains its
# statistics. Input as its ImageNet weights want it: RGB in [0, 1], normalised.
# with_cp computes activations again in the backward pass; False is faster and needs more memory.
_base_ = "./mask_rcnn_fpn.py"

model = dict(
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[0.485 * 255, 0.456 * 255, 0.406 * 255],
        std=[0.229 * 255, 0.224 * 255, 0.225 * 255],
        bgr_to_rgb=True,
        pad_mask=True,
        pad_size_divisor=32,
    ),
    backbone=dict(
        type="SENet",
        depth=154,
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type="SyncBN", requires_grad=True),
        norm_eval=False,
        with_cp=True,
        dcn=dict(type="DCN", deform_groups=1, fallback_on_stride=False),
        stage_with_dcn=(False, True, True, True),
        init_cfg=dict(
            type="Pretrained",
            checkpoint="http://data.lip6.fr/cadene/pretrainedmodels/senet154-c7b49a05.pth",
        ),
    ),
)
