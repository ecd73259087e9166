# LVIS with COCO's boxes as ignore regions; short side 400 to 1400.
# The winner's training scales were not published: these are mmdet's for its largest models
# (`ms-400-1400`), and they span the published test scales.
_base_ = "./lvis_data.py"

train_dataloader = dict(
    dataset=dict(
        ignore_reasons=None,
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="LoadManifestAnnotations", with_mask=True),
            dict(type="RandomResize", scale=[(1600, 400), (1600, 1400)], keep_ratio=True),
            dict(type="RandomFlip", prob=0.5),
            # a deformable 3x3 stops the run on a map of fewer than 3 rows or columns, which a
            # panorama has at stride 32; other images are left as they are
            dict(type="Pad", size=(96, 96), pad_val=dict(img=(114, 114, 114))),
            dict(type="PackManifestInputs"),
        ],
    ),
)
val_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="LoadManifestImage"),
            dict(type="Resize", scale=(1333, 800), keep_ratio=True),
            dict(type="Pad", size=(96, 96), pad_val=dict(img=(114, 114, 114))),
            dict(type="PackManifestInputs"),
        ],
    ),
)
