# LVIS Challenge 2019 winner's baseline: ResNeXt-101-64x4d, COCO boxes as ignore regions.
# With DCN, SyncBN, EQL, RFS and multi-scale training on LVIS alone, from coco_pretrain.
# Source: Tan et al., Equalization Loss (CVPR 2020), appendix; 30.1 mask AP on v0.5 val, one scale.
# Not published, so ours: the schedule, the training scales, gradient clipping, and the threshold of
# RFS, which is the one that the authors' released code has with EQL.
_base_ = ["./_base_/models/x101_dcn.py", "./_base_/challenge_data.py", "./_base_/schedule_90k.py"]

starts_from = "coco_pretrain"
sync_bn = True
optim_wrapper = dict(clip_grad=dict(max_norm=35, norm_type=2))
train_dataloader = dict(sampler=dict(repeat_threshold=5e-4))
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
published = dict(_delete_=True, ap=30.1, source="Tan et al. 2020, appendix, v0.5; second-hand")
