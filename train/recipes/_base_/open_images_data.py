# Open Images alone, in its own label space: boxes without masks; short side 400 to 1400.
_base_ = "./challenge_data.py"

train_dataloader = dict(
    sampler=dict(repeat_threshold=0.001),
    dataset=dict(
        sources=["open_images"],
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="LoadManifestAnnotations", with_mask=False),
            dict(type="RandomResize", scale=[(1600, 400), (1600, 1400)], keep_ratio=True),
            dict(type="RandomFlip", prob=0.5),
            dict(type="Pad", size=(96, 96), pad_val=dict(img=(114, 114, 114))),
            dict(type="PackManifestInputs"),
        ],
    ),
)
val_evaluator = dict(metric=("bbox",))
