# Mask R-CNN of 1 M parameters: what the full recipes are made of, small enough for a CPU.
# ResNet-18 with 16 channels instead of 64, three pyramid levels of 32 channels, one box regression
# and one mask for all categories. Its anchors and levels are for objects of 20 to 130 pixels.
norm = dict(type="BN", requires_grad=True)

model = dict(
    type="MaskRCNN",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_mask=True,
        pad_size_divisor=32,
    ),
    backbone=dict(
        type="ResNet",
        depth=18,
        base_channels=16,
        out_indices=(1, 2, 3),
        # nothing was learnt elsewhere: all is trained
        frozen_stages=-1,
        norm_eval=False,
        zero_init_residual=False,
        norm_cfg=norm,
    ),
    neck=dict(type="FPN", in_channels=[32, 64, 128], out_channels=32, num_outs=3, norm_cfg=norm),
    rpn_head=dict(
        type="ManifestRPNHead",
        in_channels=32,
        feat_channels=32,
        anchor_generator=dict(
            type="AnchorGenerator", scales=[4], ratios=[0.5, 1.0, 2.0], strides=[8, 16, 32]
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
        # mmdet's N(0, 0.01) is for 256 channels and pretrained weights below them
        init_cfg=dict(type="Xavier", layer="Conv2d", distribution="uniform"),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
        loss_bbox=dict(type="L1Loss"),
    ),
    roi_head=dict(
        type="ManifestRoIHead",
        verified_sources=("open_images",),
        bbox_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
            out_channels=32,
            featmap_strides=[8, 16, 32],
        ),
        bbox_head=dict(
            type="ManifestBBoxHead",
            num_shared_fcs=2,
            in_channels=32,
            fc_out_channels=128,
            roi_feat_size=7,
            num_classes="<num_classes>",
            reg_class_agnostic=True,
            bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=[0.1, 0.1, 0.2, 0.2]),
            # Tail: on fewer than 7% of LVIS's annotated images. Of the demo that is the rare
            # categories, 14% of LVIS's objects there (paper: 9%). lambda_=None would take rare and
            # common ones, all but two: nothing would tell them apart.
            loss_cls=dict(type="EqualizationLoss", manifest="<manifest>", lambda_=0.07),
            loss_bbox=dict(type="L1Loss"),
        ),
        mask_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=1),
            out_channels=32,
            featmap_strides=[8, 16, 32],
        ),
        mask_head=dict(
            type="FCNMaskHead",
            num_convs=2,
            in_channels=32,
            conv_out_channels=32,
            num_classes="<num_classes>",
            class_agnostic=True,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(
                type="BackgroundIgnoreAssigner",
                pos_iou_thr=0.7,
                neg_iou_thr=0.3,
                min_pos_iou=0.3,
                match_low_quality=True,
            ),
            sampler=dict(type="RandomSampler", num=64, pos_fraction=0.5, add_gt_as_proposals=False),
            allowed_border=-1,
            pos_weight=-1,
            debug=False,
        ),
        rpn_proposal=dict(
            nms_pre=400, max_per_img=100, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        ),
        rcnn=dict(
            assigner=dict(
                type="BackgroundIgnoreAssigner",
                pos_iou_thr=0.5,
                neg_iou_thr=0.5,
                min_pos_iou=0.5,
                match_low_quality=False,
            ),
            # half of so few, or a category is seen too seldom
            sampler=dict(type="RandomSampler", num=32, pos_fraction=0.5, add_gt_as_proposals=True),
            mask_size=28,
            pos_weight=-1,
            debug=False,
        ),
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=400, max_per_img=100, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        ),
        rcnn=dict(
            score_thr=1e-4,
            # of 3,800 (box, category) candidates an image
            pre_nms_topk=1000,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=100,  # the demo's images have a dozen objects at most
            mask_thr_binary=0.5,
        ),
    ),
)
