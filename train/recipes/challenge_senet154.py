# LVIS Challenge 2019 winner with SENet-154 for ResNeXt-101, from coco_pretrain_senet154.
# Source: Tan et al., Equalization Loss (CVPR 2020), appendix; 30.8 mask AP on v0.5 val, one scale.
# All but the backbone is challenge_baseline's, what is published of it and what is ours.
_base_ = [
    "./_base_/models/senet154_dcn.py",
    "./_base_/challenge_data.py",
    "./_base_/schedule_90k.py",
]

starts_from = "coco_pretrain_senet154"
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
published = dict(_delete_=True, ap=30.8, source="Tan et al. 2020, appendix, v0.5; second-hand")
