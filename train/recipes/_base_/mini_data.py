# Small images of all sources of a manifest, ignore regions of all kinds.
scale = (256, 256)  # long and short side at most: the demo's images at their own size, or near it

train_dataloader = dict(
    num_workers=0,
    sampler=dict(
        type="RepeatFactorSampler",
        # with a few hundred images every category is in more than 0.001 of them
        repeat_threshold=0.1,
        rfs_counts="merged",
        source_weight=None,
        shuffle=True,
        seed="<seed>",
    ),
    dataset=dict(
        type="ManifestDataset",
        manifest="<manifest>",
        split="train",
        image_roots="<image_roots>",
        sources=None,
        ignore_reasons=None,
        coco_boxes="all",
        keep_empty=False,
        on_missing="error",
        indices=None,
        seed="<seed>",
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="LoadManifestAnnotations", with_mask=True),
            dict(type="Resize", scale=scale, keep_ratio=True),
            dict(type="RandomFlip", prob=0.5),
            dict(type="PackManifestInputs"),
        ],
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="ManifestDataset",
        manifest="<manifest>",
        split="val",
        image_roots="<image_roots>",
        indices=None,
        test_mode=True,
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="Resize", scale=scale, keep_ratio=True),
            dict(type="PackManifestInputs"),
        ],
    ),
)
val_evaluator = dict(
    type="LVISFederatedMetric", manifest="<manifest>", split="val", metric=("bbox", "segm")
)
