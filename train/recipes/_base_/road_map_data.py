# The world of `lvis-merge demo --world road-map`, LVIS alone: no ignore regions, nothing repeated.
_base_ = "./mini_data.py"

scale = (128, 128)
train_dataloader = dict(
    sampler=dict(repeat_threshold=0.0),
    dataset=dict(
        sources=["lvis"],
        ignore_reasons=[],
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
    dataset=dict(
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="Resize", scale=scale, keep_ratio=True),
            dict(type="PackManifestInputs"),
        ],
    ),
)
