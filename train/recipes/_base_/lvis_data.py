# LVIS alone: no other source, no ignore regions, every image once an epoch; short side 640 to 800.
# A manifest of several sources serves too: the others are left out.
train_dataloader = dict(
    num_workers=4,
    persistent_workers=True,
    sampler=dict(
        type="RepeatFactorSampler",
        repeat_threshold=0.0,  # no category is that rare: nothing is repeated
        rfs_counts="merged",
        source_weight=None,
        seed="<seed>",
    ),
    dataset=dict(
        type="ManifestDataset",
        manifest="<manifest>",
        split="train",
        image_roots="<image_roots>",
        sources=["lvis"],
        ignore_reasons=[],
        coco_boxes="all",
        keep_empty=False,
        on_missing="error",
        seed="<seed>",
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="LoadManifestAnnotations", with_mask=True),
            dict(
                type="RandomChoiceResize",
                scales=[(1333, short) for short in (640, 672, 704, 736, 768, 800)],
                keep_ratio=True,
            ),
            dict(type="RandomFlip", prob=0.5),
            dict(type="PackManifestInputs"),
        ],
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="ManifestDataset",
        manifest="<manifest>",
        split="val",
        image_roots="<image_roots>",
        test_mode=True,
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="Resize", scale=(1333, 800), keep_ratio=True),
            dict(type="PackManifestInputs"),
        ],
    ),
)
val_evaluator = dict(
    type="LVISFederatedMetric", manifest="<manifest>", split="val", metric=("bbox", "segm")
)
